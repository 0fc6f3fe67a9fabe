import type { Egress } from '../egress.ts';
import type { Host } from '../host.ts';
import type { Pcb } from '../pcb.ts';
import { segmentOf, writeSegment } from '../segment-writer.ts';
import { seqLessThan, seqSub } from '../sequence.ts';
import { hasTimestamps, isOldDuplicate, lacksTimestamps, noteTimestamp } from '../timestamps.ts';
import { ACK, RST, SYN, type TcpHeader } from '../wire/tcp.ts';

/** The least time between two answers to one peer, milliseconds. The RTO of Linux, the shortest there is, is never below 200. */
const APART = 100;

/** A connection as the last engine left it, and what has been said for it since. */
export interface Kept {
  readonly pcb: Pcb;
  /** When it was last answered, milliseconds. */
  answeredAt: number;
}

/**
 * Whether `segment` wants an answer that can be given without taking anything in: a window probe, a keep-alive, or text, new
 * or old, that is not acknowledged. An ACK that asks for nothing is left alone, so that two who only answer never go on for ever.
 */
export function wantsAnswer(pcb: Pcb, segment: TcpHeader): boolean {
  const { flags, SEG_SEQ, SEG_ACK, SEG_LEN } = segment;
  if ((flags & ACK) === 0 || flags & (SYN | RST)) return false;
  if (lacksTimestamps(pcb, segment)) return false;
  // Acknowledges what was never sent: not this connection's peer.
  if (seqLessThan(pcb.sendEndSeq, SEG_ACK)) return false;
  const first = seqSub(SEG_SEQ, pcb.RCV_NXT);
  // A peer whose window is closed may probe with one octet beyond it (RFC 9293 section 3.8.6.1).
  return SEG_LEN === 0 ? first < 0 : first <= pcb.RCV_WND;
}

/**
 * Whether the window has to be shut because `segment`, which wants an answer, has what was offered to be taken and cannot be now: RFC 9293
 * section 3.8.6 has its sender probe then (MUST-35), and not time the connection out for text beyond the window (SHLD-17).
 */
export function mustShut(pcb: Pcb, { SEG_SEQ, SEG_LEN }: TcpHeader): boolean {
  const isNew = SEG_LEN > 0 && seqSub(SEG_SEQ, pcb.RCV_NXT) + SEG_LEN > 0;
  return isNew && pcb.RCV_WND > 0 && pcb.WINDOW_SHUT === 0;
}

/**
 * Writes the answer to a segment that wants one: the last durable acknowledgment. Its window ends where it was last offered to end,
 * unless WINDOW_SHUT. The engine takes whatever it has ever offered.
 */
export function answer(
  host: Host,
  kept: Kept,
  segment: TcpHeader,
  now: number,
  egress: Egress,
): void {
  const { pcb } = kept;
  if (!isOldDuplicate(pcb, segment, now)) noteTimestamp(pcb, segment, now);
  const header = segmentOf(pcb);
  // The peer's own RCV.NXT, which is the number that it takes for certain.
  header.SEG_SEQ = segment.SEG_ACK;
  header.SEG_ACK = pcb.RCV_NXT;
  // What is left of a unit is kept back, for nobody has promised the rest of it.
  const units = Math.floor(pcb.RCV_WND / 2 ** pcb.RCV_WSCALE);
  header.SEG_WND = pcb.WINDOW_SHUT === 1 ? 0 : Math.min(0xffff, units);
  header.flags = ACK;
  if (hasTimestamps(pcb)) {
    header.options.hasTimestamps = true;
    // Above all that was sent, and not above what the next engine will begin with.
    header.options.timestampValue = pcb.TSVAL_RESERVED;
    header.options.timestampEcho = pcb.TS_RECENT;
  }
  if (writeSegment(host, pcb, header, 0, 0, egress)) kept.answeredAt = now;
}

/** Whether `kept` was answered for so short a time ago that its peer can wait for the next. */
export function isAnswered(kept: Kept, now: number): boolean {
  return now - kept.answeredAt < APART;
}
