import { addressBytes6, writeIpv6 } from './ipv6-packet.ts';
import { readIcmp, writeIcmp } from './scripts/packet.ts';

/**
 * Ethernet, ARP and neighbour discovery as bytes, written a second time from RFC 826 and RFC 4861: what the engine does wrong
 * both when it writes and when it reads would go unseen otherwise. Addresses are text.
 */

export const TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ICMPV6 = 58;

export interface Frame {
  readonly destination: string;
  readonly source: string;
  readonly type: number;
  readonly payload: Uint8Array;
}

export interface Arp {
  readonly operation: number;
  readonly senderLink: string;
  readonly sender: string;
  readonly targetLink: string;
  readonly target: string;
}

export interface NeighborMessage {
  readonly source: string;
  readonly destination: string;
  readonly hopLimit: number;
  readonly type: number;
  readonly code: number;
  /** The second word. */
  readonly flags: number;
  readonly target: string;
  readonly options: Uint8Array;
}

export function linkBytes(address: string): number[] {
  return address.split(':').map((octet) => Number.parseInt(octet, 16));
}

function linkText(bytes: Uint8Array): string {
  return [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

/** The address as the engine has it. */
export function linkNumber(address: string): number {
  return linkBytes(address).reduce((number, octet) => number * 256 + octet, 0);
}

export function writeFrame({ destination, source, type, payload }: Frame): Uint8Array {
  return Uint8Array.from([
    ...linkBytes(destination),
    ...linkBytes(source),
    ...[type >> 8, type & 255],
    ...payload,
  ]);
}

export function readFrame(bytes: Uint8Array): Frame {
  return {
    destination: linkText(bytes.subarray(0, 6)),
    source: linkText(bytes.subarray(6, 12)),
    type: bytes[12]! * 256 + bytes[13]!,
    payload: bytes.slice(14),
  };
}

export function writeArp({ operation, senderLink, sender, targetLink, target }: Arp): Uint8Array {
  return Uint8Array.from([
    ...[0, 1, 8, 0, 6, 4, 0, operation],
    ...[...linkBytes(senderLink), ...sender.split('.').map(Number)],
    ...[...linkBytes(targetLink), ...target.split('.').map(Number)],
  ]);
}

export function readArp(bytes: Uint8Array): Arp {
  return {
    operation: bytes[7]!,
    senderLink: linkText(bytes.subarray(8, 14)),
    sender: bytes.subarray(14, 18).join('.'),
    targetLink: linkText(bytes.subarray(18, 24)),
    target: bytes.subarray(24, 28).join('.'),
  };
}

function pseudoHeader(source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from([...source, ...destination, 0, 0, length >> 8, length & 255, 0, 0, 0, 58]);
}

/** An IPv6 packet. */
export function writeNeighborMessage(message: NeighborMessage): Uint8Array {
  const { source, destination, type, code, flags: rest, target, options } = message;
  const payload = Uint8Array.from([...addressBytes6(target), ...options]);
  const [from, to] = [addressBytes6(source), addressBytes6(destination)];
  const icmp = writeIcmp({ type, code, rest, payload }, pseudoHeader(from, to, 8 + payload.length));
  const packet = writeIpv6({
    source,
    destination,
    extensions: [],
    protocol: ICMPV6,
    payload: icmp,
  });
  packet[7] = message.hopLimit;
  return packet;
}

/** What neither has is as hexadecimal text. @throws when a checksum is wrong */
export function readNeighborMessage(packet: Uint8Array) {
  const text = (from: number, to: number) => Buffer.from(packet.subarray(from, to)).toString('hex');
  const [source, destination] = [packet.subarray(8, 24), packet.subarray(24, 40)];
  const { type, code, rest } = readIcmp(
    packet.slice(40),
    pseudoHeader(source, destination, packet.length - 40),
  );
  const hopLimit = packet[7]!;
  const [target, options] = [text(48, 64), text(64, packet.length)];
  return {
    source: text(8, 24),
    destination: text(24, 40),
    hopLimit,
    type,
    code,
    rest,
    target,
    options,
  };
}
