import type { IpAddress } from '../address.ts';
import { finishChecksum, onesComplementSum, pseudoHeaderSum } from './checksum.ts';
import { PROTOCOL_UDP } from './ipv4.ts';

/** Bytes of every header (RFC 768). */
export const UDP_HEADER_LENGTH = 8;

/** How it says that no checksum was made. */
const NO_CHECKSUM = 0;

/** The fields of a UDP header (RFC 768), to be filled again for each datagram. */
export class UdpHeader {
  /** 0: no reply is expected. */
  sourcePort = 0;
  destinationPort = 0;
  /** Where the payload begins, in the memory the datagram was read from. */
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;
}

/**
 * Reads the datagram at view[offset, offset + length) into `into`. Bytes behind the length that it says are none of it. It is refused
 * when that length is not there, when its checksum is wrong, and when it has none and is of IPv6 (RFC 8200 section 8.1).
 * @param isVouchedFor whether the checksum needs no look
 * @returns false when refused; `into` then holds nothing of meaning
 */
export function parseUdp(
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
  destination: IpAddress,
  isVouchedFor: boolean,
  into: UdpHeader,
): boolean {
  if (length < UDP_HEADER_LENGTH) return false;
  const udpLength = view.getUint16(offset + 4);
  if (udpLength < UDP_HEADER_LENGTH || udpLength > length) return false;
  if (!isVouchedFor && !isChecksumRight(view, offset, udpLength, source, destination)) return false;
  into.sourcePort = view.getUint16(offset);
  into.destinationPort = view.getUint16(offset + 2);
  into.payloadOffset = offset + UDP_HEADER_LENGTH;
  into.payloadLength = udpLength - UDP_HEADER_LENGTH;
  return true;
}

function isChecksumRight(
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
  destination: IpAddress,
): boolean {
  if (view.getUint16(offset + 6) === NO_CHECKSUM) return destination.isIpv4;
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length);
  return finishChecksum(onesComplementSum(view, offset, length, sum)) === 0;
}

/**
 * Writes the header at view[offset ...], with its checksum, before the payload, which is in place already.
 * @param payloadLength bytes, at most 65,527
 * @returns how many bytes the header has
 */
export function emitUdp(
  view: DataView,
  offset: number,
  source: IpAddress,
  sourcePort: number,
  destination: IpAddress,
  destinationPort: number,
  payloadLength: number,
): number {
  const length = UDP_HEADER_LENGTH + payloadLength;
  view.setUint16(offset, sourcePort);
  view.setUint16(offset + 2, destinationPort);
  view.setUint16(offset + 4, length);
  view.setUint16(offset + 6, 0);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length);
  const checksum = finishChecksum(onesComplementSum(view, offset, length, sum));
  // 0 would say that there is none; the sum means the same (RFC 768).
  view.setUint16(offset + 6, checksum === NO_CHECKSUM ? 0xffff : checksum);
  return UDP_HEADER_LENGTH;
}
