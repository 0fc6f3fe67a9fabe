import { finishChecksum, onesComplementSum } from './checksum.ts';

/** Types (RFC 792). */
export const ICMP_ECHO_REPLY = 0;
export const ICMP_DESTINATION_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;

/** Codes of destination unreachable (RFC 792; RFC 1122 section 3.2.2.1). */
export const ICMP_NETWORK_UNREACHABLE = 0;
export const ICMP_HOST_UNREACHABLE = 1;
export const ICMP_PROTOCOL_UNREACHABLE = 2;
export const ICMP_PORT_UNREACHABLE = 3;
export const ICMP_FRAGMENTATION_NEEDED = 4;
export const ICMP_SOURCE_ROUTE_FAILED = 5;
export const ICMP_ADMINISTRATIVELY_PROHIBITED = 13;

/** Bytes before the echoed data or the quoted datagram. */
export const ICMP_HEADER_LENGTH = 8;

/** An error quotes as much as leaves the datagram that carries it no longer than 576 (RFC 1812 section 4.3.2.3). */
export const MAX_QUOTED_LENGTH = 576 - 20 - ICMP_HEADER_LENGTH;

/** The fields of an ICMP message (RFC 792), to be filled again for each. */
export class Icmpv4Message {
  type = 0;
  code = 0;
  /** Of an echo and its reply. */
  identifier = 0;
  /** Of an echo and its reply. */
  sequenceNumber = 0;
  /** Of "fragmentation needed", bytes (RFC 1191 section 4); 0 from a router older than that. */
  nextHopMtu = 0;
  /** Where the echoed data, or the quoted datagram, begins, in the memory the message was read from. */
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;

  /** Whether it reports an error about the datagram it quotes. */
  get isError(): boolean {
    return (
      this.type === ICMP_DESTINATION_UNREACHABLE ||
      this.type === ICMP_TIME_EXCEEDED ||
      this.type === ICMP_PARAMETER_PROBLEM
    );
  }
}

/**
 * Reads the message at view[offset, offset + length) into `into`.
 * @returns false when it is cut short or its checksum is wrong; `into` then holds nothing of meaning
 */
export function parseIcmpv4(
  view: DataView,
  offset: number,
  length: number,
  into: Icmpv4Message,
): boolean {
  if (length < ICMP_HEADER_LENGTH) return false;
  if (finishChecksum(onesComplementSum(view, offset, length)) !== 0) return false;
  into.type = view.getUint8(offset);
  into.code = view.getUint8(offset + 1);
  into.identifier = view.getUint16(offset + 4);
  into.sequenceNumber = view.getUint16(offset + 6);
  into.nextHopMtu = view.getUint16(offset + 6);
  into.payloadOffset = offset + ICMP_HEADER_LENGTH;
  into.payloadLength = length - ICMP_HEADER_LENGTH;
  return true;
}

/**
 * Writes the reply to `echo` at bytes[offset ...]: the same identifier, sequence number and data
 * (RFC 1122 section 3.2.2.6).
 * @param view over the same memory as `bytes`, from its first byte
 * @param source what `echo` was read from
 * @returns how many bytes it has
 */
export function emitEchoReply(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  source: Uint8Array,
  echo: Icmpv4Message,
): number {
  view.setUint16(offset + 4, echo.identifier);
  view.setUint16(offset + 6, echo.sequenceNumber);
  const { payloadOffset, payloadLength } = echo;
  return emit(bytes, view, offset, ICMP_ECHO_REPLY, 0, source, payloadOffset, payloadLength);
}

/**
 * Writes a destination unreachable at bytes[offset ...] that quotes source[quotedOffset, quotedOffset + quotedLength),
 * the datagram as received, up to `MAX_QUOTED_LENGTH`. Whether one may be sent at all is for the caller to know
 * (RFC 1122 section 3.2.2).
 * @param view over the same memory as `bytes`, from its first byte
 * @param nextHopMtu bytes, for "fragmentation needed"; otherwise 0
 * @returns how many bytes it has
 */
export function emitDestinationUnreachable(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  code: number,
  nextHopMtu: number,
  source: Uint8Array,
  quotedOffset: number,
  quotedLength: number,
): number {
  const length = Math.min(quotedLength, MAX_QUOTED_LENGTH);
  view.setUint16(offset + 4, 0);
  view.setUint16(offset + 6, nextHopMtu);
  return emit(
    bytes,
    view,
    offset,
    ICMP_DESTINATION_UNREACHABLE,
    code,
    source,
    quotedOffset,
    length,
  );
}

/** Writes all but the second word, which is in place. */
function emit(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  type: number,
  code: number,
  source: Uint8Array,
  from: number,
  length: number,
): number {
  view.setUint8(offset, type);
  view.setUint8(offset + 1, code);
  view.setUint16(offset + 2, 0);
  bytes.set(source.subarray(from, from + length), offset + ICMP_HEADER_LENGTH);
  const total = ICMP_HEADER_LENGTH + length;
  view.setUint16(offset + 2, finishChecksum(onesComplementSum(view, offset, total)));
  return total;
}
