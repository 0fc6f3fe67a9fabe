import { finishChecksum, onesComplementSum } from './checksum.ts';
import { IPV4_HEADER_LENGTH } from './ipv4.ts';
import {
  FRAGMENT,
  FRAGMENT_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Ipv6Header,
  parseIpv6,
} from './ipv6.ts';

/** Bytes of the largest IPv4 packet, and of the largest payload of an IPv6 one without a jumbo option. */
export const MAX_PACKET_LENGTH = 0xffff;

const MORE_FRAGMENTS4 = 0x2000;
const MORE_FRAGMENTS6 = 1;

/** RFC 3168 section 5. */
const NOT_ECT = 0;
const CE = 3;

/** A part of a datagram, as it arrived. */
export interface IpFragment {
  /** The whole packet, of either version. */
  readonly packet: Uint8Array<ArrayBuffer>;
  /** Where its payload begins in `packet`; in IPv6 that is behind the fragment header. */
  readonly payloadAt: number;
  /** Which bytes of the datagram's payload it has: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly isLast: boolean;
}

/** Kept to be used again for each datagram. */
const header6 = new Ipv6Header();

/**
 * The packet that was cut into `fragments`: the headers of the first, then all payloads (RFC 791 section 3.2, RFC 8200
 * section 4.5).
 * @param fragments by where they start, without gaps or overlaps
 * @returns undefined when it would be longer than a packet can be, or congestion on the way must not be told of
 */
export function joinFragments(fragments: readonly IpFragment[]): Uint8Array | undefined {
  const first = fragments[0]!.packet;
  const isIpv4 = versionOf(first) === 4;
  if (!isIpv4) parseIpv6(viewOf(first), 0, first.length, header6);
  const headers = isIpv4 ? fragments[0]!.payloadAt : header6.unfragmentableLength;
  const length = headers + fragments.at(-1)!.end;
  if (length - (isIpv4 ? 0 : IPV6_HEADER_LENGTH) > MAX_PACKET_LENGTH) return undefined;
  const whole = new Uint8Array(length);
  whole.set(first.subarray(0, headers));
  for (const { packet, payloadAt, start } of fragments) {
    whole.set(packet.subarray(payloadAt), headers + start);
  }
  const view = viewOf(whole);
  if (isIpv4) {
    view.setUint16(2, length);
    view.setUint16(6, 0);
  } else {
    view.setUint16(4, length - IPV6_HEADER_LENGTH);
    view.setUint8(header6.fragmentAnnouncedAt, header6.protocol);
  }
  if (!joinCongestion(fragments, whole)) return undefined;
  if (isIpv4) putChecksum(view, headers);
  return whole;
}

/**
 * Congestion that one fragment has met is the datagram's, but it is not said to a sender that does not understand
 * (RFC 3168 section 5.3).
 * @returns false when the datagram is to be dropped instead
 */
function joinCongestion(fragments: readonly IpFragment[], whole: Uint8Array): boolean {
  const codepoints = fragments.map(({ packet }) => codepointOf(packet));
  if (!codepoints.includes(CE)) return true;
  whole[1]! |= CE << codepointShift(whole);
  return !codepoints.includes(NOT_ECT);
}

function codepointOf(packet: Uint8Array): number {
  return (packet[1]! >>> codepointShift(packet)) & 3;
}

/** Where ECN's two bits are in the second byte of a packet: the end of IPv4's, the middle of IPv6's. */
function codepointShift(packet: Uint8Array): number {
  return versionOf(packet) === 4 ? 0 : 4;
}

/**
 * `packet`, made by us and without options or extension headers, in parts that fit into `mtu` bytes each.
 * @param identification u32, not used lately between the same hosts; IPv4 has 16 bits of it
 */
export function cutIntoFragments(
  packet: Uint8Array<ArrayBuffer>,
  mtu: number,
  identification: number,
): Uint8Array<ArrayBuffer>[] {
  const isIpv4 = versionOf(packet) === 4;
  const ipLength = isIpv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const headers = isIpv4 ? ipLength : ipLength + FRAGMENT_HEADER_LENGTH;
  const payload = packet.subarray(ipLength);
  // All but the last have a multiple of 8 bytes.
  const most = (mtu - headers) & ~7;
  const fragments = [];
  for (let start = 0; start < payload.length; start += most) {
    const part = payload.subarray(start, start + most);
    const isLast = start + most >= payload.length;
    const fragment = new Uint8Array(headers + part.length);
    fragment.set(packet.subarray(0, ipLength));
    fragment.set(part, headers);
    if (isIpv4) putFragmentation4(viewOf(fragment), identification, start, isLast);
    else putFragmentation6(viewOf(fragment), identification, start, isLast);
    fragments.push(fragment);
  }
  return fragments;
}

function putFragmentation4(view: DataView, id: number, start: number, isLast: boolean): void {
  view.setUint16(2, view.byteLength);
  view.setUint16(4, id & 0xffff);
  view.setUint16(6, (isLast ? 0 : MORE_FRAGMENTS4) | (start >>> 3));
  putChecksum(view, IPV4_HEADER_LENGTH);
}

function putFragmentation6(view: DataView, id: number, start: number, isLast: boolean): void {
  view.setUint16(4, view.byteLength - IPV6_HEADER_LENGTH);
  view.setUint8(IPV6_HEADER_LENGTH, view.getUint8(6));
  view.setUint8(6, FRAGMENT);
  view.setUint16(IPV6_HEADER_LENGTH + 2, start | (isLast ? 0 : MORE_FRAGMENTS6));
  view.setUint32(IPV6_HEADER_LENGTH + 4, id);
}

/** Of the IPv4 header at the beginning, of `length` bytes. */
function putChecksum(view: DataView, length: number): void {
  view.setUint16(10, 0);
  view.setUint16(10, finishChecksum(onesComplementSum(view, 0, length)));
}

function versionOf(packet: Uint8Array): number {
  return packet[0]! >>> 4;
}

function viewOf(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
}
