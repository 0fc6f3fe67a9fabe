import { IpAddress } from '../address.ts';

/** Bytes of the header without extensions (RFC 8200 section 3), the only kind emitted. */
export const IPV6_HEADER_LENGTH = 40;
/** Every link carries packets as long as this (RFC 8200 section 5), bytes. */
export const IPV6_MIN_MTU = 1280;

/** Assigned numbers (IANA, Protocol Numbers) of extension headers, which stand in the place of a protocol. */
export const HOP_BY_HOP_OPTIONS = 0;
export const ROUTING = 43;
export const FRAGMENT = 44;
export const DESTINATION_OPTIONS = 60;
const NO_NEXT_HEADER = 59;

export const FRAGMENT_HEADER_LENGTH = 8;

/** The one option that is a single octet (RFC 8200 section 4.2). */
const PAD1 = 0;

/** What ails a packet that is to be answered by a parameter problem: its ICMPv6 code (RFC 4443 section 3.4). */
export const Problem = {
  NONE: -1,
  ERRONEOUS_FIELD: 0,
  UNRECOGNIZED_NEXT_HEADER: 1,
  UNRECOGNIZED_OPTION: 2,
  /** RFC 7112 section 5. */
  INCOMPLETE_HEADER_CHAIN: 3,
} as const;

/**
 * The fields of an IPv6 header and of the extension headers behind it (RFC 8200 sections 3 and 4), to be filled again for
 * each packet.
 */
export class Ipv6Header {
  /** DSCP and ECN (RFC 2474, RFC 3168). */
  trafficClass = 0;
  /** 20 bits (RFC 6437). */
  flowLabel = 0;
  /** Bytes behind the first 40. */
  payloadLength = 0;
  hopLimit = 0;
  source = new IpAddress(0, 0, 0, 0);
  destination = new IpAddress(0, 0, 0, 0);
  /** The protocol of what follows the last header that was read; a writer's next header. */
  protocol = 0;

  // What a reader derives.

  /** Bytes, with extension headers: up to and with the fragment header, if there is one. */
  headerLength = IPV6_HEADER_LENGTH;
  /** Where the octet is that says `protocol`, bytes from the start of the packet. */
  protocolAt = 0;
  /** Whether it heads a part of a packet only. One in a single part is whole (RFC 6946). */
  isFragment = false;
  moreFragments = false;
  /** Bytes, a multiple of 8. */
  fragmentOffset = 0;
  /** Of the fragment header, u32. */
  identification = 0;
  /** Bytes before the fragment header, which every part has; the octet that announces it is at `fragmentAnnouncedAt`. */
  unfragmentableLength = 0;
  fragmentAnnouncedAt = 0;
  /** One of `Problem`; `problemAt` says where, bytes from the start of the packet. */
  problem: number = Problem.NONE;
  problemAt = 0;

  /** Bytes of headers and payload. */
  get totalLength(): number {
    return IPV6_HEADER_LENGTH + this.payloadLength;
  }
}

/**
 * Reads the headers of the packet at view[offset, offset + length) into `into`: hop-by-hop and destination options, routing
 * and fragment headers, in any order and number (RFC 8200 section 4.1), hop-by-hop only first. Behind a fragment header
 * nothing is read unless the fragment is the whole. Bytes beyond the payload length are padding of the link.
 * @returns false when the packet is to be discarded. If `into.problem` says why, its sender may be told, and the fields
 * of the first header are there; otherwise `into` holds nothing of meaning.
 */
export function parseIpv6(
  view: DataView,
  offset: number,
  length: number,
  into: Ipv6Header,
): boolean {
  into.problem = Problem.NONE;
  if (!readHeader(view, offset, length, into)) return false;
  const end = IPV6_HEADER_LENGTH + into.payloadLength;
  return end <= length && readExtensions(view, offset, end, into);
}

/**
 * Reads the headers of a packet that an ICMPv6 error quotes, which may be cut short behind them.
 * @returns false when not all of them are there; `into` then holds nothing of meaning
 */
export function parseQuotedIpv6(
  view: DataView,
  offset: number,
  length: number,
  into: Ipv6Header,
): boolean {
  into.problem = Problem.NONE;
  return readHeader(view, offset, length, into) && readExtensions(view, offset, length, into);
}

/**
 * Writes `header` without extensions at view[offset ...].
 * @returns how many bytes it has
 */
export function emitIpv6(view: DataView, offset: number, header: Ipv6Header): number {
  view.setUint32(offset, ((6 << 28) | (header.trafficClass << 20) | header.flowLabel) >>> 0);
  view.setUint16(offset + 4, header.payloadLength);
  view.setUint8(offset + 6, header.protocol);
  view.setUint8(offset + 7, header.hopLimit);
  writeIpv6Address(view, offset + 8, header.source);
  writeIpv6Address(view, offset + 24, header.destination);
  return IPV6_HEADER_LENGTH;
}

function readHeader(view: DataView, offset: number, length: number, into: Ipv6Header): boolean {
  if (length < IPV6_HEADER_LENGTH) return false;
  const first = view.getUint32(offset);
  if (first >>> 28 !== 6) return false;
  into.trafficClass = (first >>> 20) & 0xff;
  into.flowLabel = first & 0xfffff;
  into.payloadLength = view.getUint16(offset + 4);
  into.hopLimit = view.getUint8(offset + 7);
  into.source = readIpv6Address(view, offset + 8);
  into.destination = readIpv6Address(view, offset + 24);
  return true;
}

/** @param end one past the last byte that may be read, from the start of the packet; at least 40 */
function readExtensions(view: DataView, offset: number, end: number, into: Ipv6Header): boolean {
  let protocolAt = 6;
  let protocol = view.getUint8(offset + protocolAt);
  let at = IPV6_HEADER_LENGTH;
  into.isFragment = false;
  into.moreFragments = false;
  into.fragmentOffset = 0;
  into.identification = 0;
  into.unfragmentableLength = 0;
  into.fragmentAnnouncedAt = 0;
  for (;;) {
    switch (protocol) {
      case HOP_BY_HOP_OPTIONS:
        if (protocolAt !== 6) {
          return refuse(into, Problem.UNRECOGNIZED_NEXT_HEADER, protocolAt);
        }
        if (!readOptions(view, offset, at, end, into)) return false;
        break;
      case DESTINATION_OPTIONS:
        if (!readOptions(view, offset, at, end, into)) return false;
        break;
      case ROUTING:
        if (at + extensionLength(view, offset, at, end) > end) return false;
        // RFC 8200 section 4.4: of a type not known, with segments left. RFC 5095: type 0 is such a one today.
        if (view.getUint8(offset + at + 3) !== 0) {
          return refuse(into, Problem.ERRONEOUS_FIELD, at + 2);
        }
        break;
      case FRAGMENT:
        // One within another is nothing that any host sends.
        if (into.unfragmentableLength !== 0) return false;
        if (!readFragmentHeader(view, offset, at, end, protocolAt, into)) return false;
        break;
      default:
        into.protocol = protocol;
        into.protocolAt = protocolAt;
        into.headerLength = at;
        return protocol !== NO_NEXT_HEADER;
    }
    protocolAt = at;
    at += protocol === FRAGMENT ? FRAGMENT_HEADER_LENGTH : extensionLength(view, offset, at, end);
    protocol = view.getUint8(offset + protocolAt);
    if (into.isFragment) {
      into.protocol = protocol;
      into.protocolAt = protocolAt;
      into.headerLength = at;
      return true;
    }
  }
}

/** RFC 8200 section 4.5. */
function readFragmentHeader(
  view: DataView,
  offset: number,
  at: number,
  end: number,
  announcedAt: number,
  into: Ipv6Header,
): boolean {
  if (at + FRAGMENT_HEADER_LENGTH > end) return false;
  const offsetAndFlag = view.getUint16(offset + at + 2);
  into.fragmentOffset = offsetAndFlag & 0xfff8;
  into.moreFragments = (offsetAndFlag & 1) !== 0;
  into.isFragment = into.moreFragments || into.fragmentOffset !== 0;
  into.identification = view.getUint32(offset + at + 4);
  into.unfragmentableLength = at;
  into.fragmentAnnouncedAt = announcedAt;
  return true;
}

/** The options in the header at `at` (RFC 8200 section 4.2). None is known but padding. */
function readOptions(
  view: DataView,
  offset: number,
  at: number,
  end: number,
  into: Ipv6Header,
): boolean {
  const optionsEnd = at + extensionLength(view, offset, at, end);
  if (optionsEnd > end) return false;
  for (let option = at + 2; option < optionsEnd; ) {
    const type = view.getUint8(offset + option);
    if (type === PAD1) {
      option++;
      continue;
    }
    if (option + 1 >= optionsEnd) return false;
    const next = option + 2 + view.getUint8(offset + option + 1);
    if (next > optionsEnd) return false;
    // The highest two bits say what is to happen where the option is not known. PadN has 00: skip it.
    switch (type >>> 6) {
      case 1:
        return false;
      case 2:
      case 3:
        return refuse(into, Problem.UNRECOGNIZED_OPTION, option);
    }
    option = next;
  }
  return true;
}

/** Of the extension header at `at`, bytes; more than there is room for when it is cut short. */
export function extensionLength(view: DataView, offset: number, at: number, end: number): number {
  return at + 8 > end ? Infinity : 8 + 8 * view.getUint8(offset + at + 1);
}

function refuse(into: Ipv6Header, problem: number, at: number): boolean {
  into.problem = problem;
  into.problemAt = at;
  return false;
}

export function readIpv6Address(view: DataView, offset: number): IpAddress {
  return new IpAddress(
    view.getUint32(offset),
    view.getUint32(offset + 4),
    view.getUint32(offset + 8),
    view.getUint32(offset + 12),
  );
}

export function writeIpv6Address(view: DataView, offset: number, address: IpAddress): void {
  view.setUint32(offset, address.word0);
  view.setUint32(offset + 4, address.word1);
  view.setUint32(offset + 8, address.word2);
  view.setUint32(offset + 12, address.word3);
}
