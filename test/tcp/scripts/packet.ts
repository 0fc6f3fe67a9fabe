import { pseudoHeader6 } from '../ipv6-packet.ts';

/**
 * IPv4, TCP and ICMP as bytes, written a second time from the RFCs and plainly: a mistake that the engine makes both when
 * it writes and when it reads would go unseen if the scripts used the engine's code for the wire.
 */

export const FLAG = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const;

export type FlagName = keyof typeof FLAG;

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;

export interface Ip {
  source: string;
  destination: string;
  protocol: number;
  tos: number;
  ttl: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** Raw options, a multiple of 4 bytes. */
  options: Uint8Array;
  payload: Uint8Array;
}

export interface TcpOption {
  kind: number;
  data: Uint8Array;
}

export interface Tcp {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  win: number;
  urgent: number;
  options: TcpOption[];
  text: Uint8Array;
}

export interface Icmp {
  type: number;
  code: number;
  /** The second word of the header. */
  rest: number;
  payload: Uint8Array;
}

/** A packet of the stack's that breaks a rule of its format. */
export class MalformedPacket extends Error {}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new MalformedPacket(what);
}

export function addressBytes(address: string): number[] {
  return address.split('.').map(Number);
}

/** RFC 1071, 16 bits at a time. */
export function checksum(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) sum += i % 2 === 0 ? part[i]! << 8 : part[i]!;
  }
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + (sum % 0x10000);
  return ~sum & 0xffff;
}

export function writeIp(ip: Ip): Uint8Array {
  const headerLength = 20 + ip.options.length;
  const bytes = new Uint8Array(headerLength + ip.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x40 | (headerLength / 4);
  bytes[1] = ip.tos;
  view.setUint16(2, bytes.length);
  view.setUint16(6, (ip.dontFragment ? 0x4000 : 0) | (ip.moreFragments ? 0x2000 : 0));
  bytes[8] = ip.ttl;
  bytes[9] = ip.protocol;
  bytes.set(addressBytes(ip.source), 12);
  bytes.set(addressBytes(ip.destination), 16);
  bytes.set(ip.options, 20);
  view.setUint16(10, checksum(bytes.subarray(0, headerLength)));
  bytes.set(ip.payload, headerLength);
  return bytes;
}

export function readIp(bytes: Uint8Array): Ip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(bytes.length >= 20 && bytes[0]! >>> 4 === 4, 'an IPv4 header');
  const headerLength = (bytes[0]! & 15) * 4;
  check(headerLength >= 20 && headerLength <= bytes.length, 'the IP header is within the packet');
  check(view.getUint16(2) === bytes.length, 'the IP total length is that of the packet');
  check(checksum(bytes.subarray(0, headerLength)) === 0, 'the IP checksum is right');
  const fragment = view.getUint16(6);
  check((fragment & 0x8000) === 0, 'the reserved IP flag is 0');
  return {
    source: bytes.subarray(12, 16).join('.'),
    destination: bytes.subarray(16, 20).join('.'),
    protocol: bytes[9]!,
    tos: bytes[1]!,
    ttl: bytes[8]!,
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    options: bytes.slice(20, headerLength),
    payload: bytes.slice(headerLength),
  };
}

function pseudoHeader(source: string, destination: string, length: number): Uint8Array {
  const { tcp } = PROTOCOL;
  if (source.includes(':')) return pseudoHeader6(source, destination, tcp, length);
  const addresses = [...addressBytes(source), ...addressBytes(destination)];
  return Uint8Array.from([...addresses, 0, tcp, length >>> 8, length & 255]);
}

/** @param options whole and padded, as they stand in the header */
export function writeTcp(
  tcp: Tcp,
  source: string,
  destination: string,
  options = writeOptions(tcp.options),
): Uint8Array {
  const headerLength = 20 + options.length;
  const bytes = new Uint8Array(headerLength + tcp.text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tcp.sourcePort);
  view.setUint16(2, tcp.destinationPort);
  view.setUint32(4, tcp.seq);
  view.setUint32(8, tcp.ack);
  bytes[12] = (headerLength / 4) << 4;
  bytes[13] = tcp.flags;
  view.setUint16(14, tcp.win);
  view.setUint16(18, tcp.urgent);
  bytes.set(options, 20);
  bytes.set(tcp.text, headerLength);
  view.setUint16(16, checksum(pseudoHeader(source, destination, bytes.length), bytes));
  return bytes;
}

export function readTcp(bytes: Uint8Array, source: string, destination: string): Tcp {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(bytes.length >= 20, 'a TCP header');
  const headerLength = (bytes[12]! >>> 4) * 4;
  check(headerLength >= 20 && headerLength <= bytes.length, 'the TCP header is within the packet');
  check((bytes[12]! & 15) === 0, 'the reserved bits of TCP are 0');
  const sum = checksum(pseudoHeader(source, destination, bytes.length), bytes);
  check(sum === 0, 'the TCP checksum is right');
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    seq: view.getUint32(4),
    ack: view.getUint32(8),
    flags: bytes[13]!,
    win: view.getUint16(14),
    urgent: view.getUint16(18),
    options: readOptions(bytes.subarray(20, headerLength)),
    text: bytes.slice(headerLength),
  };
}

/** Options one after the other, filled up with end of list and zeros. */
export function writeOptions(options: TcpOption[]): Uint8Array {
  const bytes = options.flatMap(({ kind, data }) =>
    kind <= 1 ? [kind] : [kind, data.length + 2, ...data],
  );
  while (bytes.length % 4 !== 0) bytes.push(0);
  check(bytes.length <= 40, 'options have 40 bytes at most');
  return Uint8Array.from(bytes);
}

function readOptions(bytes: Uint8Array): TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at]!;
    if (kind === 0) {
      // RFC 9293 section 3.1, MUST-69.
      check(
        bytes.subarray(at).every((byte) => byte === 0),
        'padding behind the end of the option list is zero',
      );
      break;
    }
    if (kind === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    check(length >= 2 && at + length <= bytes.length, 'an option is within the header');
    options.push({ kind, data: bytes.slice(at + 2, at + length) });
    at += length;
  }
  return options;
}

/** @param pseudoHeader what the checksum covers before it: nothing in IPv4 */
export function writeIcmp(icmp: Icmp, pseudoHeader: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(8 + icmp.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = icmp.type;
  bytes[1] = icmp.code;
  view.setUint32(4, icmp.rest);
  bytes.set(icmp.payload, 8);
  view.setUint16(2, checksum(pseudoHeader, bytes));
  return bytes;
}

/** @param pseudoHeader what the checksum covers before it: nothing in IPv4 */
export function readIcmp(bytes: Uint8Array, pseudoHeader: Uint8Array = new Uint8Array(0)): Icmp {
  check(bytes.length >= 8, 'an ICMP header');
  check(checksum(pseudoHeader, bytes) === 0, 'the ICMP checksum is right');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: bytes[0]!, code: bytes[1]!, rest: view.getUint32(4), payload: bytes.slice(8) };
}
