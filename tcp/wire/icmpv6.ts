import { finishChecksum, onesComplementSum } from './checksum.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from './ipv6.ts';

/** Assigned protocol number (IANA, Protocol Numbers). */
export const PROTOCOL_ICMPV6 = 58;

/** Types (RFC 4443 section 2.1). */
export const ICMPV6_DESTINATION_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;

/** Types from here on are informational. */
const FIRST_INFORMATIONAL = 128;

/** Code of destination unreachable (RFC 4443 section 3.1). */
export const ICMPV6_PORT_UNREACHABLE = 4;
/** Code of time exceeded (RFC 4443 section 3.3). */
export const ICMPV6_REASSEMBLY_TIME_EXCEEDED = 1;

/** Bytes before the echoed data or the quoted packet. */
export const ICMPV6_HEADER_LENGTH = 8;

/** An error quotes as much as leaves the packet that carries it no longer than the minimum MTU (RFC 4443 section 2.4 c). */
export const MAX_QUOTED_LENGTH6 = IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMPV6_HEADER_LENGTH;

/** The fields of an ICMPv6 message (RFC 4443), to be filled again for each. */
export class Icmpv6Message {
  type = 0;
  code = 0;
  /** Of an echo and its reply. */
  identifier = 0;
  /** Of an echo and its reply. */
  sequenceNumber = 0;
  /** Of an error: the MTU of "packet too big", bytes, or the pointer of "parameter problem"; u32. */
  parameter = 0;
  /** Where the echoed data, or the quoted packet, begins, in the memory the message was read from. */
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;

  /** Whether it reports an error about the packet it quotes. */
  get isError(): boolean {
    return this.type < FIRST_INFORMATIONAL;
  }
}

/**
 * Reads the message at view[offset, offset + length) into `into`.
 * @param pseudoHeaderSum over addresses, protocol and `length` (RFC 4443 section 2.3)
 * @returns false when it is cut short or its checksum is wrong; `into` then holds nothing of meaning
 */
export function parseIcmpv6(
  view: DataView,
  offset: number,
  length: number,
  pseudoHeaderSum: number,
  into: Icmpv6Message,
): boolean {
  if (length < ICMPV6_HEADER_LENGTH) return false;
  if (finishChecksum(onesComplementSum(view, offset, length, pseudoHeaderSum)) !== 0) return false;
  into.type = view.getUint8(offset);
  into.code = view.getUint8(offset + 1);
  into.identifier = view.getUint16(offset + 4);
  into.sequenceNumber = view.getUint16(offset + 6);
  into.parameter = view.getUint32(offset + 4);
  into.payloadOffset = offset + ICMPV6_HEADER_LENGTH;
  into.payloadLength = length - ICMPV6_HEADER_LENGTH;
  return true;
}

/**
 * Writes a message at bytes[offset ...], whose payload is source[from, from + length): what an echo carried, or the packet
 * that an error quotes, cut to `MAX_QUOTED_LENGTH6` by the caller.
 * @param view over the same memory as `bytes`, from its first byte
 * @param parameter the second word: identifier and sequence number, MTU, or pointer
 * @param pseudoHeaderSum over addresses, protocol, and the length that is returned
 * @returns how many bytes it has
 */
export function emitIcmpv6(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  type: number,
  code: number,
  parameter: number,
  source: Uint8Array,
  from: number,
  length: number,
  pseudoHeaderSum: number,
): number {
  view.setUint8(offset, type);
  view.setUint8(offset + 1, code);
  view.setUint16(offset + 2, 0);
  view.setUint32(offset + 4, parameter);
  bytes.set(source.subarray(from, from + length), offset + ICMPV6_HEADER_LENGTH);
  const total = ICMPV6_HEADER_LENGTH + length;
  const sum = onesComplementSum(view, offset, total, pseudoHeaderSum);
  view.setUint16(offset + 2, finishChecksum(sum));
  return total;
}
