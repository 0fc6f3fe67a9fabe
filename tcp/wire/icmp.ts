import type { IpAddress } from '../address.ts';
import { finishChecksum, onesComplementSum } from './checksum.ts';

/** Bytes before the echoed data or the quoted packet. */
export const ICMP_HEADER_LENGTH = 8;

/** The numbers by which one version of ICMP calls what both have, and what else is different. */
export interface IcmpVersion {
  /** Assigned protocol number. */
  readonly protocol: number;
  readonly echoRequest: number;
  readonly echoReply: number;
  readonly destinationUnreachable: number;
  /** A code of destination unreachable. */
  readonly portUnreachable: number;
  readonly timeExceeded: number;
  /** The most that an error quotes, bytes. */
  readonly maxQuotedLength: number;
  /** Whether messages of `type` report an error about the packet that they quote. */
  isError(type: number): boolean;
  /** Whether it says that a packet was longer than the next link's MTU (RFC 1191 section 4, RFC 4443 section 3.2). */
  isPacketTooBig(type: number, code: number): boolean;
  /** That link's MTU, from the second word of such a message, bytes; 0: not told. */
  nextHopMtu(parameter: number): number;
  /** What the checksum covers before a message of `length` bytes, as a sum for `onesComplementSum`. */
  pseudoHeaderSum(source: IpAddress, destination: IpAddress, length: number): number;
}

/** The fields of a message of either version (RFC 792, RFC 4443), to be filled again for each. */
export class IcmpMessage {
  type = 0;
  code = 0;
  /** The second word, u32: identifier and sequence number of an echo, an MTU, a pointer. */
  parameter = 0;
  /** Where the echoed data, or the quoted packet, begins, in the memory the message was read from. */
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;
}

/**
 * Reads the message at view[offset, offset + length) into `into`.
 * @param pseudoHeaderSum what the checksum covers before it
 * @returns false when it is cut short or its checksum is wrong; `into` then holds nothing of meaning
 */
export function parseIcmp(
  view: DataView,
  offset: number,
  length: number,
  pseudoHeaderSum: number,
  into: IcmpMessage,
): boolean {
  if (length < ICMP_HEADER_LENGTH) return false;
  if (finishChecksum(onesComplementSum(view, offset, length, pseudoHeaderSum)) !== 0) return false;
  into.type = view.getUint8(offset);
  into.code = view.getUint8(offset + 1);
  into.parameter = view.getUint32(offset + 4);
  into.payloadOffset = offset + ICMP_HEADER_LENGTH;
  into.payloadLength = length - ICMP_HEADER_LENGTH;
  return true;
}

/**
 * Writes a message at bytes[offset ...], whose payload is source[from, from + length): what an echo carried, or the packet
 * that an error quotes, cut by the caller.
 * @param view over the same memory as `bytes`, from its first byte
 * @param parameter the second word
 * @param pseudoHeaderSum what the checksum covers before it
 * @returns how many bytes it has
 */
export function emitIcmp(
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
  bytes.set(source.subarray(from, from + length), offset + ICMP_HEADER_LENGTH);
  const total = ICMP_HEADER_LENGTH + length;
  const sum = onesComplementSum(view, offset, total, pseudoHeaderSum);
  view.setUint16(offset + 2, finishChecksum(sum));
  return total;
}
