import type { IpAddress } from '../../tcp/address.ts';
import { pseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { ECN_MASK, type IpHeader } from '../../tcp/wire/ip.ts';
import { Ipv4Header, PROTOCOL_TCP, PROTOCOL_UDP, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import { Ipv6Header, parseIpv6 } from '../../tcp/wire/ipv6.ts';
import { parseTcp, TcpHeader } from '../../tcp/wire/tcp.ts';
import { UDP_HEADER_LENGTH } from '../../tcp/wire/udp.ts';
import { must } from './violation.ts';

const ipv4 = new Ipv4Header();
const ipv6 = new Ipv6Header();

/** One packet as it left its host. Hosts go by number. */
export interface Packet {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** One with a whole TCP segment. */
export interface SegmentPacket extends Packet {
  readonly segment: TcpHeader;
}

export function isSegment(packet: Packet): packet is SegmentPacket {
  return 'segment' in packet;
}

export function isIpv4({ bytes }: Packet): boolean {
  return bytes[0]! >>> 4 === 4;
}

/** The address of a host. */
export function addressOf(host: number, isIpv6: boolean): string {
  return isIpv6 ? `fd07::${host + 1}` : `10.7.0.${host + 1}`;
}

/** The host of an address. */
export function hostOf(address: IpAddress): number {
  return (address.word3 & 0xff) - 1;
}

/** @returns undefined when it is none that can be read; otherwise valid until the next call */
export function ipHeaderOf(bytes: Uint8Array): IpHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isIpv4 = bytes.length > 0 && bytes[0]! >>> 4 === 4;
  if (isIpv4) return parseIpv4(view, 0, bytes.length, ipv4) ? ipv4 : undefined;
  return parseIpv6(view, 0, bytes.length, ipv6) ? ipv6 : undefined;
}

/** @returns undefined when `bytes` is no packet with a whole TCP segment */
export function segmentOf(bytes: Uint8Array): TcpHeader | undefined {
  const ip = ipHeaderOf(bytes);
  if (ip === undefined || ip.protocol !== PROTOCOL_TCP) return undefined;
  const { source, destination, headerLength, totalLength } = ip;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = totalLength - headerLength;
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
  const segment = new TcpHeader();
  if (!parseTcp(view, headerLength, length, sum, segment)) return undefined;
  segment.ecn = ip.trafficClass & ECN_MASK;
  return segment;
}

/**
 * @param bytes a packet that a host has sent, for good
 * @throws Violation it is none, or has a broken TCP segment
 */
export function packetOf(bytes: Uint8Array): Packet | SegmentPacket {
  const ip = ipHeaderOf(bytes);
  must(ip !== undefined, 'a host sent what is no packet');
  must(ip.totalLength === bytes.length, 'a host sent a packet with a wrong length');
  const packet = { from: hostOf(ip.source), to: hostOf(ip.destination), bytes };
  if (ip.protocol !== PROTOCOL_TCP) return packet;
  must(
    !(ip instanceof Ipv4Header) || ip.dontFragment,
    'a host sent a segment that may be fragmented',
  );
  const segment = segmentOf(bytes);
  must(segment !== undefined, 'a host sent a broken TCP segment');
  return { ...packet, segment };
}

/** UDP's payload in a packet, or its beginning in the first fragment; undefined when it has none. */
export function datagramIn(
  bytes: Uint8Array,
): { destinationPort: number; payload: Uint8Array } | undefined {
  const ip = ipHeaderOf(bytes);
  if (ip?.protocol !== PROTOCOL_UDP || (ip.isFragment && ip.fragmentOffset > 0)) return undefined;
  const destinationPort = (bytes[ip.headerLength + 2]! << 8) | bytes[ip.headerLength + 3]!;
  return { destinationPort, payload: bytes.subarray(ip.headerLength + UDP_HEADER_LENGTH) };
}
