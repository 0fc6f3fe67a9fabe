import type { IpAddress } from '../address.ts';

/**
 * The Internet checksum (RFC 1071). Since 2**16 is 1 modulo 2**16 - 1, words of any multiple of 16 bits may be added
 * and the sum folded at the end; RFC 1071 section 2 calls it deferred carries and parallel summation.
 */

/**
 * Adds the big-endian 32-bit words of view[offset, offset + length) to `sum`. A double holds the sum of 2**21 of
 * them exactly. Two accumulators, so that one addition need not wait for the other: measured twice as fast as one,
 * and three to four times as fast as 16-bit words.
 * @param length bytes; an odd one is padded with a zero byte, so only the last of several calls may have it
 * @param sum of what was added before; 0 to begin
 * @returns a sum for `finishChecksum`, or for the next call
 */
export function onesComplementSum(view: DataView, offset: number, length: number, sum = 0): number {
  let even = sum;
  let odd = 0;
  let at = offset;
  for (const end = offset + (length & ~7); at < end; at += 8) {
    even += view.getUint32(at);
    odd += view.getUint32(at + 4);
  }
  if (length & 4) {
    even += view.getUint32(at);
    at += 4;
  }
  if (length & 2) {
    even += view.getUint16(at);
    at += 2;
  }
  if (length & 1) even += view.getUint8(at) << 8;
  return even + odd;
}

/**
 * The checksum to put in a header whose checksum field was added as 0. Over a received packet with its checksum in
 * place, it is 0 if and only if that checksum is right.
 */
export function finishChecksum(sum: number): number {
  const low = sum >>> 0;
  let folded = (low >>> 16) + (low & 0xffff) + Math.floor(sum / 2 ** 32);
  folded = (folded >>> 16) + (folded & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  return ~folded & 0xffff;
}

/**
 * The sum of the pseudo header before a TCP segment over IPv4 (RFC 9293 section 3.1).
 * @param source IPv4 address as u32
 * @param destination IPv4 address as u32
 * @param length bytes of the transport's header and payload
 */
export function ipv4PseudoHeaderSum(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return source + destination + protocol + length;
}

/**
 * The sum of the pseudo header before a segment over IPv6 (RFC 8200 section 8.1).
 * @param length bytes of the transport's header and payload
 */
export function ipv6PseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number {
  return addressSum(source) + addressSum(destination) + protocol + length;
}

function addressSum({ word0, word1, word2, word3 }: IpAddress): number {
  return word0 + word1 + word2 + word3;
}

/**
 * The sum of the pseudo header of either version: that of an IPv4-mapped address counts only its IPv4 part.
 * @param length bytes of the transport's header and payload
 */
export function pseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number {
  return destination.isIpv4
    ? ipv4PseudoHeaderSum(source.ipv4, destination.ipv4, protocol, length)
    : ipv6PseudoHeaderSum(source, destination, protocol, length);
}
