import type { Absence } from './absence.ts';
import type { Host } from './host.ts';
import { Negotiated, type Pcb } from './pcb.ts';
import { seqAdd, seqLessOrEqual, seqLessThan, seqSub } from './sequence.ts';
import { State } from './state.ts';
import { tupleHash } from './tuple-hash.ts';
import { ACK, RST, SYN, type TcpHeader } from './wire/tcp.ts';

/** Bytes that the option takes in every segment, with the padding that Linux puts before it (RFC 7323 appendix A). */
const TIMESTAMPS_SIZE = 12;
/**
 * How far ahead of what is sent TSval is reserved, in its ticks. They are milliseconds, so a connection that always has
 * something to say is journaled for this once in so many.
 */
const RESERVED_AHEAD = 10_000;
/** RFC 7323 section 5.5: after 24 days without a segment, TS.Recent says nothing. Milliseconds. */
const TS_RECENT_LASTS = 24 * 24 * 3600_000;

/**
 * Begins the timestamp clock of a new connection: the stack's milliseconds, from a place that differs for each pair of
 * sockets and cannot be guessed (RFC 7323 section 5.4), so that one incarnation's values are above those of the one before.
 */
export function beginTimestamps(host: Host, pcb: Pcb, now: number): void {
  const { secret } = host;
  const { localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT } = pcb;
  pcb.TS_OFFSET = tupleHash(secret, 'TS', localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT);
  pcb.TSVAL_SINCE = Math.floor(now);
  pcb.TSVAL_RESERVED = timestampOf(pcb, now);
  pcb.TS_RECENT = 0;
  pcb.TS_RECENT_AT = 0;
}

/** What the connection's timestamp clock says (RFC 7323 section 4.1), u32. */
export function timestampOf(pcb: Pcb, now: number): number {
  return seqAdd(pcb.TS_OFFSET, Math.floor(now));
}

/**
 * After a restore TSval must not go back, or the peer drops what we send (RFC 7323 section 5). Nothing at or above the
 * reserved mark has been sent, so the clock goes on from there, whatever became of the stack's own. TS.Recent may have become
 * too old meanwhile to say anything.
 */
export function resumeTimestamps(pcb: Pcb, now: number, { began, estimate }: Absence): void {
  if (pcb.STATE !== State.SYN_SENT && !hasTimestamps(pcb)) return;
  pcb.TS_OFFSET = seqAdd(pcb.TSVAL_RESERVED, -Math.floor(now));
  pcb.TSVAL_SINCE = Math.floor(now);
  pcb.TS_RECENT_AT = now - estimate - Math.max(0, began - pcb.TS_RECENT_AT);
}

/** Whether the SYNs have agreed on timestamps. */
export function hasTimestamps(pcb: Pcb): boolean {
  return (pcb.NEGOTIATED & Negotiated.TIMESTAMPS) !== 0;
}

/** The part of a segment that is not left for text because every segment has these options (RFC 6691), bytes. */
export function timestampsSize(pcb: Pcb): number {
  return hasTimestamps(pcb) ? TIMESTAMPS_SIZE : 0;
}

/**
 * The peer's SYN has come. Timestamps are used if it has them: ours has, or will have (RFC 7323 section 3.2).
 */
export function synchronizeTimestamps(pcb: Pcb, segment: TcpHeader, now: number): void {
  if (!segment.options.hasTimestamps) return;
  pcb.NEGOTIATED |= Negotiated.TIMESTAMPS;
  pcb.TS_RECENT = segment.options.timestampValue;
  pcb.TS_RECENT_AT = now;
}

/** Puts the option into a segment that leaves now, if it belongs there, and keeps the reserved mark ahead of it. */
export function stamp(pcb: Pcb, header: TcpHeader, now: number): void {
  const isOffered = (header.flags & (SYN | ACK)) === SYN;
  if (!isOffered && !hasTimestamps(pcb)) return;
  const TSval = timestampOf(pcb, now);
  header.options.hasTimestamps = true;
  header.options.timestampValue = TSval;
  // RFC 7323 section 3.2: "When the ACK bit is not set … the TSecr field MUST be set to zero".
  header.options.timestampEcho = isOffered ? 0 : pcb.TS_RECENT;
  if (seqLessOrEqual(pcb.TSVAL_RESERVED, TSval)) {
    pcb.TSVAL_RESERVED = seqAdd(TSval, RESERVED_AHEAD);
  }
}

/**
 * PAWS (RFC 7323 section 5.3, R1): whether `segment` is an old duplicate, by a timestamp before the last one of this
 * connection. A reset is judged by its sequence number alone.
 */
export function isOldDuplicate(pcb: Pcb, segment: TcpHeader, now: number): boolean {
  const { flags, options } = segment;
  if (!hasTimestamps(pcb) || !options.hasTimestamps || flags & RST) return false;
  if (now - pcb.TS_RECENT_AT > TS_RECENT_LASTS) return false;
  return seqLessThan(options.timestampValue, pcb.TS_RECENT);
}

/**
 * Whether `segment` lacks the option that the SYNs have agreed on: to be dropped in silence (RFC 7323 section 3.2). A SYN
 * is of another connection and gets its answer.
 */
export function lacksTimestamps(pcb: Pcb, segment: TcpHeader): boolean {
  return (
    hasTimestamps(pcb) && !segment.options.hasTimestamps && (segment.flags & (RST | SYN)) === 0
  );
}

/** Which TSval to echo (RFC 7323 section 4.3, step 2): that of the earliest segment not yet acknowledged. */
export function noteTimestamp(pcb: Pcb, segment: TcpHeader, now: number): void {
  if (!hasTimestamps(pcb) || !segment.options.hasTimestamps || segment.flags & RST) return;
  if (!seqLessOrEqual(segment.SEG_SEQ, pcb.LAST_ACK_SENT)) return;
  pcb.TS_RECENT = segment.options.timestampValue;
  pcb.TS_RECENT_AT = now;
}

/**
 * RTTM (RFC 7323 section 4.1): how long ago the segment was sent that `segment` echoes, milliseconds. It is of use also
 * when that one was sent twice.
 * @returns -1 when that cannot be told: also for what was sent before a restore, whose clock has jumped since
 */
export function echoedRoundTrip(pcb: Pcb, segment: TcpHeader, now: number): number {
  if (!hasTimestamps(pcb) || !segment.options.hasTimestamps) return -1;
  const ago = seqSub(timestampOf(pcb, now), segment.options.timestampEcho);
  return ago < 0 || ago > now - pcb.TSVAL_SINCE ? -1 : ago;
}

/** When the segment that `segment` echoes had left at the latest, by the stack's clock; Infinity: that cannot be told. */
export function echoedTime(pcb: Pcb, segment: TcpHeader, now: number): number {
  const ago = echoedRoundTrip(pcb, segment, now);
  // TSval leaves out the fraction of a millisecond.
  return ago < 0 ? Infinity : now - ago + 1;
}
