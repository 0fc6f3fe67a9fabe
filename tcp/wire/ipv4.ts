import { IpAddress } from '../address.ts';
import { finishChecksum, onesComplementSum } from './checksum.ts';

/** Bytes of a header without options, the only kind emitted. */
export const IPV4_HEADER_LENGTH = 20;

/** Assigned protocol numbers (IANA, Protocol Numbers). */
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** The fields of an IPv4 header (RFC 791 section 3.1), to be filled again for each packet. */
export class Ipv4Header {
  /** Bytes, with options. */
  headerLength = IPV4_HEADER_LENGTH;
  /** DSCP and ECN (RFC 2474, RFC 3168). */
  typeOfService = 0;
  /** Bytes of header and payload. */
  totalLength = 0;
  identification = 0;
  dontFragment = false;
  moreFragments = false;
  /** Bytes, a multiple of 8. */
  fragmentOffset = 0;
  timeToLive = 0;
  protocol = 0;
  source = IpAddress.fromIpv4(0);
  destination = IpAddress.fromIpv4(0);
  /** Where the octet is that says `protocol`, bytes from the start of the packet. */
  readonly protocolAt = 9;

  /** As IPv6 calls it. */
  get trafficClass(): number {
    return this.typeOfService;
  }

  /** Whether it heads a part of a datagram only. */
  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset !== 0;
  }
}

/**
 * Reads the header of the packet at view[offset, offset + length) into `into`. What must be discarded silently
 * is refused: another version (RFC 1122 section 3.2.1.1), a wrong checksum (3.2.1.2), or lengths that contradict each
 * other. Options are skipped (3.2.1.8). Bytes beyond the total length are padding of the link.
 * @returns false when refused; `into` then holds nothing of meaning
 */
export function parseIpv4(
  view: DataView,
  offset: number,
  length: number,
  into: Ipv4Header,
): boolean {
  if (!readHeader(view, offset, length, into)) return false;
  if (into.totalLength < into.headerLength || into.totalLength > length) return false;
  return finishChecksum(onesComplementSum(view, offset, into.headerLength)) === 0;
}

/**
 * Reads a header that an ICMP error quotes. The datagram may be cut short behind it, and on its way a router
 * may have changed it, so neither its total length nor its checksum is checked.
 * @returns false when it is not the whole of an IPv4 header; `into` then holds nothing of meaning
 */
export function parseQuotedIpv4(
  view: DataView,
  offset: number,
  length: number,
  into: Ipv4Header,
): boolean {
  return readHeader(view, offset, length, into);
}

/**
 * Writes `header` without options at view[offset ...], with its checksum.
 * @returns how many bytes it has
 */
export function emitIpv4(view: DataView, offset: number, header: Ipv4Header): number {
  const fragment =
    (header.dontFragment ? DONT_FRAGMENT : 0) |
    (header.moreFragments ? MORE_FRAGMENTS : 0) |
    (header.fragmentOffset >>> 3);
  view.setUint8(offset, (4 << 4) | (IPV4_HEADER_LENGTH >>> 2));
  view.setUint8(offset + 1, header.typeOfService);
  view.setUint16(offset + 2, header.totalLength);
  view.setUint16(offset + 4, header.identification);
  view.setUint16(offset + 6, fragment);
  view.setUint8(offset + 8, header.timeToLive);
  view.setUint8(offset + 9, header.protocol);
  view.setUint16(offset + 10, 0);
  view.setUint32(offset + 12, header.source.ipv4);
  view.setUint32(offset + 16, header.destination.ipv4);
  const sum = onesComplementSum(view, offset, IPV4_HEADER_LENGTH);
  view.setUint16(offset + 10, finishChecksum(sum));
  return IPV4_HEADER_LENGTH;
}

function readHeader(view: DataView, offset: number, length: number, into: Ipv4Header): boolean {
  if (length < IPV4_HEADER_LENGTH) return false;
  const versionAndLength = view.getUint8(offset);
  if (versionAndLength >>> 4 !== 4) return false;
  into.headerLength = (versionAndLength & 15) << 2;
  if (into.headerLength < IPV4_HEADER_LENGTH || into.headerLength > length) return false;
  const fragment = view.getUint16(offset + 6);
  into.typeOfService = view.getUint8(offset + 1);
  into.totalLength = view.getUint16(offset + 2);
  into.identification = view.getUint16(offset + 4);
  into.dontFragment = (fragment & DONT_FRAGMENT) !== 0;
  into.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  into.fragmentOffset = (fragment & FRAGMENT_OFFSET) << 3;
  into.timeToLive = view.getUint8(offset + 8);
  into.protocol = view.getUint8(offset + 9);
  into.source = IpAddress.fromIpv4(view.getUint32(offset + 12));
  into.destination = IpAddress.fromIpv4(view.getUint32(offset + 16));
  return true;
}
