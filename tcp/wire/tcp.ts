import { assert } from '../assert.ts';
import { finishChecksum, onesComplementSum } from './checksum.ts';
import { emitTcpOptions, parseTcpOptions, TcpOptions, tcpOptionsLength } from './tcp-options.ts';

/** Control bits (RFC 9293 section 3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
/** RFC 3168 section 6.1. */
export const ECE = 0x40;
export const CWR = 0x80;

/** Bytes of a header without options. */
export const TCP_HEADER_LENGTH = 20;

/** The fields of a TCP header (RFC 9293 section 3.1) and what follows from them, to be filled again for each segment. */
export class TcpHeader {
  sourcePort = 0;
  destinationPort = 0;
  /** Sequence number of the first octet, or of the SYN. */
  SEG_SEQ = 0;
  /** Means something only with ACK. */
  SEG_ACK = 0;
  /** As in the header: 16 bits, before any scaling. */
  SEG_WND = 0;
  /** Urgent pointer; means something only with URG. */
  SEG_UP = 0;
  /** Control bits. */
  flags = 0;
  readonly options = new TcpOptions();
  /** Of the IP header before it, the ECN field (RFC 3168 section 5): IP carries it, TCP fills it in and reads it. */
  ecn = 0;

  // What a reader derives; a writer need not fill it in.

  /** Bytes, with options. */
  headerLength = TCP_HEADER_LENGTH;
  /** Where the payload begins, in the memory the segment was read from. */
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;
  /** Octets of sequence space: payload, SYN and FIN. */
  SEG_LEN = 0;
  /** How many segments of the sender's it was joined from: 1 if none was. */
  parts = 1;
}

/** In place of the sum of a pseudo header: the checksum is not looked at. */
export const UNCHECKED = -1;

/**
 * Reads the segment at view[offset, offset + length) into `into`. It is refused when its lengths contradict each other
 * or its checksum is wrong. An illegal option ends the options and is otherwise ignored: to reset the connection, as
 * RFC 9293 section 3.1 (MUST-7) suggests, would hand anybody who may send one segment a way to end it.
 * @param pseudoHeaderSum over addresses, protocol and `length`; or UNCHECKED
 * @returns false when refused; `into` then holds nothing of meaning
 */
export function parseTcp(
  view: DataView,
  offset: number,
  length: number,
  pseudoHeaderSum: number,
  into: TcpHeader,
): boolean {
  if (length < TCP_HEADER_LENGTH) return false;
  const headerLength = (view.getUint8(offset + 12) >>> 4) << 2;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return false;
  if (pseudoHeaderSum !== UNCHECKED) {
    const sum = onesComplementSum(view, offset, length, pseudoHeaderSum);
    if (finishChecksum(sum) !== 0) return false;
  }
  into.sourcePort = view.getUint16(offset);
  into.destinationPort = view.getUint16(offset + 2);
  into.SEG_SEQ = view.getUint32(offset + 4);
  into.SEG_ACK = view.getUint32(offset + 8);
  into.flags = view.getUint8(offset + 13);
  into.SEG_WND = view.getUint16(offset + 14);
  into.SEG_UP = view.getUint16(offset + 18);
  into.headerLength = headerLength;
  into.payloadOffset = offset + headerLength;
  into.payloadLength = length - headerLength;
  into.SEG_LEN = into.payloadLength + (into.flags & SYN ? 1 : 0) + (into.flags & FIN ? 1 : 0);
  into.parts = 1;
  parseTcpOptions(view, offset + TCP_HEADER_LENGTH, headerLength - TCP_HEADER_LENGTH, into.options);
  return true;
}

/** How many bytes `emitTcp` will write: the payload belongs right behind them. */
export function tcpHeaderLength(header: TcpHeader): number {
  return TCP_HEADER_LENGTH + tcpOptionsLength(header.options);
}

/**
 * Writes `header` with its options and its checksum at view[offset ...], before the payload, which is in place already
 * at `offset + tcpHeaderLength(header)`.
 * @param pseudoHeaderSum over addresses, protocol, and the length of header and payload
 * @param isUnfinished whether the checksum is to be finished further down: see `Egress`
 * @returns how many bytes the header has
 */
export function emitTcp(
  view: DataView,
  offset: number,
  header: TcpHeader,
  payloadLength: number,
  pseudoHeaderSum: number,
  isUnfinished = false,
): number {
  assert(header.SEG_WND >= 0 && header.SEG_WND <= 0xffff, 'SEG.WND has 16 bits');
  const optionsLength = emitTcpOptions(view, offset + TCP_HEADER_LENGTH, header.options);
  const headerLength = TCP_HEADER_LENGTH + optionsLength;
  view.setUint16(offset, header.sourcePort);
  view.setUint16(offset + 2, header.destinationPort);
  view.setUint32(offset + 4, header.SEG_SEQ);
  view.setUint32(offset + 8, header.SEG_ACK);
  view.setUint8(offset + 12, (headerLength >>> 2) << 4);
  view.setUint8(offset + 13, header.flags);
  view.setUint16(offset + 14, header.SEG_WND);
  view.setUint16(offset + 16, 0);
  view.setUint16(offset + 18, header.SEG_UP);
  const checksum = isUnfinished
    ? ~finishChecksum(pseudoHeaderSum) & 0xffff
    : finishChecksum(
        onesComplementSum(view, offset, headerLength + payloadLength, pseudoHeaderSum),
      );
  view.setUint16(offset + 16, checksum);
  return headerLength;
}
