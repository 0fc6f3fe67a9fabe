import { congestionControlOf } from './congestion-control/selected.ts';
import { Durability } from './durability.ts';
import { echoFlag, ecnSetupFlags, makeCapable } from './ecn.ts';
import type { Egress } from './egress.ts';
import { isInVain, isNewTextFirst } from './f-rto.ts';
import type { Host } from './host.ts';
import { mssToOffer } from './largest-segment.ts';
import { mtuProbeLeaves, mtuProbeSize } from './mtu-search.ts';
import { mustWait, textLeaves } from './pacing.ts';
import { Negotiated, type Pcb } from './pcb.ts';
import { isWindowUpdateDue, offerWindow, windowOfSyn } from './receive-window.ts';
import {
  backedOffRto,
  restartRetransmissionTimer,
  startRetransmissionTimer,
  startTiming,
  stopTiming,
} from './retransmission-timeout.ts';
import { hasDsack, hasSack, putSackBlocks, sackSize } from './sack-blocks.ts';
import { segmentOf, writeSegment } from './segment-writer.ts';
import { seqAdd, seqLessOrEqual, seqLessThan, seqMax, seqMin, seqSub } from './sequence.ts';
import { maySpeak, State } from './state.ts';
import { probeLeaves, scheduleProbe } from './tail-loss-probe.ts';
import { stamp } from './timestamps.ts';
import { putUserTimeout, putUserTimeoutInSyn, userTimeoutLeft } from './user-timeout-option.ts';
import { ACK, CWR, FIN, PSH, SYN } from './wire/tcp.ts';
import { MAX_TCP_OPTIONS_LENGTH } from './wire/tcp-options.ts';

/** The most text in one packet: its length has 16 bits, and its headers, with all options, 80 bytes at most. */
const MOST_TEXT = 65_535 - 80;

/**
 * Writes what all connections have to say now. When there is no room for one of the two durabilities, those of the other go on.
 * @param powerEgress for connections with durability `power`
 * @returns false when one of the two was full before everything was written
 */
export function transmitConnections(
  host: Host,
  now: number,
  egress: Egress,
  powerEgress: Egress,
): boolean {
  const full = new Set<Egress>();
  const waiting: Pcb[] = [];
  for (;;) {
    const pcb = host.nextOutput;
    if (pcb === undefined) break;
    const out = pcb.DURABILITY === Durability.POWER ? powerEgress : egress;
    if (!full.has(out) && !transmitConnection(host, pcb, now, out)) full.add(out);
    host.shiftOutput();
    if (full.has(out)) waiting.push(pcb);
  }
  for (const pcb of waiting) host.wantOutput(pcb);
  return full.size === 0;
}

/**
 * Writes what one connection has to say now (RFC 9293 section 3.8): a SYN, text as far as windows and Nagle let it, a FIN,
 * probes, and if none of them carried it, an acknowledgment.
 * @returns false when `egress` was full before everything was written
 */
function transmitConnection(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (!maySpeak(pcb.STATE)) return true;
  if (pcb.isSynOutstanding) {
    return (
      transmitSyn(host, pcb, now, egress) &&
      transmitFinBehindSyn(host, pcb, now, egress) &&
      transmitAcknowledgment(host, pcb, now, egress)
    );
  }
  return (
    transmitDuplicateAcks(host, pcb, now, egress) &&
    transmitText(host, pcb, now, egress) &&
    transmitTailProbe(host, pcb, now, egress) &&
    transmitProbe(host, pcb, now, egress) &&
    transmitKeepalive(host, pcb, now, egress) &&
    transmitAcknowledgment(host, pcb, now, egress)
  );
}

/** SYN, or SYN and ACK, with what we offer. */
function transmitSyn(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.SYN_NOW === 0) return true;
  const header = segmentOf(pcb);
  header.SEG_SEQ = pcb.ISS;
  header.SEG_WND = windowOfSyn(pcb);
  header.options.hasMss = true;
  header.options.mss = mssToOffer(host.mtu, pcb, pcb.remoteAddress);
  header.options.windowScale = pcb.RCV_WSCALE;
  if (pcb.STATE === State.SYN_SENT) {
    header.SEG_ACK = 0;
    header.flags = SYN | ecnSetupFlags(pcb);
    header.options.hasWindowScale = true;
    header.options.sackPermitted = true;
  } else {
    header.SEG_ACK = pcb.RCV_NXT;
    header.flags = SYN | ACK | ecnSetupFlags(pcb);
    // RFC 7323 section 2.2: only in answer to the peer's.
    header.options.hasWindowScale = (pcb.NEGOTIATED & Negotiated.WINDOW_SCALE) !== 0;
    header.options.sackPermitted = hasSack(pcb);
  }
  stamp(pcb, header, now);
  putUserTimeoutInSyn(pcb, header.options);
  if (!writeSegment(host, pcb, header, 0, 0, egress)) return false;
  acknowledged(pcb);
  if (pcb.SND_NXT !== pcb.ISS) countRetransmission(host, pcb);
  hasLeft(host, pcb, pcb.ISS, 1, now);
  pcb.SND_NXT = seqMax(pcb.SND_NXT, seqAdd(pcb.ISS, 1));
  pcb.SYN_NOW = 0;
  // What has followed it before follows it again.
  pcb.RETRANSMIT_NOW = 1;
  return true;
}

/** CLOSE in SYN-RECEIVED: a FIN that does not wait for the acknowledgment of the SYN (RFC 9293 section 3.10.4). */
function transmitFinBehindSyn(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  const seq = seqAdd(pcb.ISS, 1);
  if (pcb.isFinOutstanding && (pcb.SND_NXT === seq || pcb.RETRANSMIT_NOW === 1)) {
    if (!writeText(host, pcb, seq, 0, true, false, now, egress)) return false;
    hasLeft(host, pcb, seq, 1, now);
    pcb.SND_NXT = seqAdd(seq, 1);
  }
  pcb.RETRANSMIT_NOW = 0;
  return true;
}

/** Everything that may go. */
function transmitText(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  restartAfterIdle(pcb, now);
  if (!transmitMtuProbe(host, pcb, now, egress)) return false;
  if (!transmitSegments(host, pcb, now, egress)) return false;
  if (isInVain(pcb) && !transmitSegments(host, pcb, now, egress)) return false;
  pcb.RETRANSMIT_NOW = 0;
  pcb.FlightSize = seqSub(pcb.SND_NXT, pcb.SND_UNA);
  armPersistTimer(host, pcb, now);
  return true;
}

/** First what is lost, then what is new (RFC 6675 section 4, NextSeg), but for F-RTO. */
function transmitSegments(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  for (;;) {
    const isAgain = pcb.flight !== undefined && pcb.flight.lost > 0 && !isNewTextFirst(pcb);
    const seq = isAgain ? pcb.flight!.firstLost : pcb.SND_NXT;
    const lostEnd = isAgain ? pcb.flight!.firstLostEnd : seq;
    // Behind what is lost may follow what is new.
    const numbers = seqSub(lostEnd === pcb.SND_NXT ? pcb.sendEndSeq : lostEnd, seq);
    const textEnd = seqAdd(pcb.SND_UNA, pcb.SEND_END - pcb.SEND_START);
    const available = Math.min(numbers, seqSub(textEnd, seq));
    const window = pcb.SND_WND - seqSub(seq, pcb.SND_UNA);
    const mss = largestText(pcb);
    const length = Math.max(0, Math.min(available, window, mss));
    const isFin = length === available && numbers > available && window > length;
    if (!isFin && !mayTransmit(pcb, length, available, isAgain)) break;
    const isUrgent = isAgain && pcb.RETRANSMIT_NOW === 1;
    // A whole segment or none: what is left of cwnd is no reason for a small one. A FIN alone has nothing to fill the path with.
    if (length > 0 && length > congestionWindow(pcb, isAgain) - pcb.pipe && !isUrgent) break;
    if (length > 0 && !isAgain && mustWait(host, pcb, now)) break;
    const room = Math.min(available, window, congestionWindow(pcb, isAgain) - pcb.pipe);
    const count = isAgain || length < mss ? 1 : segmentsAtOnce(host, pcb, room, mss, egress);
    const isWritten =
      count === 1
        ? transmitSegment(host, pcb, seq, length, isFin, now, egress)
        : transmitSegment(host, pcb, seq, count * mss, false, now, egress, mss);
    if (!isWritten) return false;
    pcb.RETRANSMIT_NOW = 0;
    pcb.PROBE_NOW = 0;
  }
  return true;
}

/**
 * How many segments of new text `egress` may be given as one. What is to be spread over time does not leave at once, and CWR is
 * for one segment alone.
 * @param room bytes that may leave
 */
function segmentsAtOnce(host: Host, pcb: Pcb, room: number, mss: number, egress: Egress): number {
  if (egress.commitUnfinished === undefined || host.isOwn(pcb.remoteAddress)) return 1;
  if (pcb.PACING === 1 || pcb.CWR_NOW === 1) return 1;
  return Math.max(1, Math.floor(Math.min(room, MOST_TEXT) / mss));
}

/** A segment larger than the path is known to carry, if it is time for one. */
function transmitMtuProbe(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  const seq = pcb.SND_NXT;
  const queued = seqSub(seqAdd(pcb.SND_UNA, pcb.SEND_END - pcb.SEND_START), seq);
  const window = pcb.SND_WND - seqSub(seq, pcb.SND_UNA);
  const size = mtuProbeSize(pcb, Math.min(queued, window), now);
  if (size === 0) return true;
  // SACK blocks go before text here too: the packet is as long as it would be without.
  const length = size - sackSize(pcb);
  if (!transmitSegment(host, pcb, seq, length, false, now, egress)) return false;
  mtuProbeLeaves(pcb, size, seq, seqAdd(seq, length));
  return true;
}

/**
 * A tail loss probe (TLP_send_probe, RFC 8985 section 7.3): new text if there is some and the peer has room, or else the last
 * segment once more.
 */
function transmitTailProbe(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.TAIL_PROBE_NOW === 0) return true;
  const { flight, SND_NXT, SND_UNA } = pcb;
  if (flight !== undefined) {
    const most = largestText(pcb);
    const textEnd = seqAdd(SND_UNA, pcb.SEND_END - pcb.SEND_START);
    const window = pcb.SND_WND - seqSub(SND_NXT, SND_UNA);
    const unsent = Math.min(seqSub(textEnd, SND_NXT), window, most);
    const isAgain = unsent <= 0;
    const end = seqMin(SND_NXT, textEnd);
    const seq = isAgain ? seqMax(flight.lastStart, seqAdd(end, -most)) : SND_NXT;
    const length = isAgain ? Math.max(0, seqSub(end, seq)) : unsent;
    const isFin = isAgain && seqLessThan(textEnd, SND_NXT);
    if (!transmitSegment(host, pcb, seq, length, isFin, now, egress)) return false;
    probeLeaves(pcb, isAgain);
    host.counters.TcpExtTCPLossProbes++;
    pcb.PROBE_DEADLINE = 0;
  }
  pcb.TAIL_PROBE_NOW = 0;
  return true;
}

/** How many numbers may be on the path. */
function congestionWindow(pcb: Pcb, isAgain: boolean): number {
  if (pcb.RESUMING === 1) return pcb.SND_MSS;
  if (isAgain || pcb.IN_RECOVERY === 1) return pcb.cwnd;
  // Limited transmit (RFC 3042): each of the first two duplicate ACKs lets one new segment go.
  return pcb.cwnd + Math.min(pcb.DUPACKS, 2) * pcb.SND_MSS;
}

/** Bytes of text in a full-sized segment that leaves now: SACK blocks go before text (RFC 6691). */
function largestText(pcb: Pcb): number {
  return pcb.SND_MSS - sackSize(pcb);
}

/**
 * Whether a segment of `length` bytes, of `available` ones, may leave: silly-window avoidance (RFC 9293 section
 * 3.8.6.2.1) with the Nagle algorithm (section 3.7.4).
 */
function mayTransmit(pcb: Pcb, length: number, available: number, isAgain: boolean): boolean {
  if (length <= 0) return false;
  if (length === largestText(pcb)) return true;
  // What is sent again was let through once.
  if (isAgain) return true;
  const needNotWait = pcb.NODELAY === 1 || !isSmallUnacknowledged(pcb);
  if (needNotWait && (length === available || length >= pcb.MAX_SND_WND / 2)) return true;
  return pcb.PROBE_NOW === 1;
}

/**
 * Whether small segments have to wait: only for another small one. Those behind full ones would wait for a delayed ACK (RFC
 * 9293 appendix A.3; G. Minshall, _A Proposed Modification to Nagle's Algorithm_, 1999).
 */
function isSmallUnacknowledged({ SND_SML, SND_UNA, SND_NXT }: Pcb): boolean {
  return seqLessThan(SND_UNA, SND_SML) && seqLessOrEqual(SND_SML, SND_NXT);
}

/** RFC 5681 section 4.1: after a pause, cwnd says little about the path. */
function restartAfterIdle(pcb: Pcb, now: number): void {
  const isIdle = pcb.SND_NXT === pcb.SND_UNA && pcb.LAST_SENT !== 0;
  if (isIdle && now - pcb.LAST_SENT > pcb.RTO) congestionControlOf(pcb).idle(pcb, now);
}

/** Nothing is in flight that an ACK could be lost for, and yet something waits: only a probe can end that. */
function armPersistTimer(host: Host, pcb: Pcb, now: number): void {
  if (!pcb.isStuck) {
    pcb.PERSIST_DEADLINE = 0;
    pcb.STUCK_SINCE = 0;
  } else if (pcb.PERSIST_DEADLINE === 0) {
    if (pcb.STUCK_SINCE === 0) pcb.STUCK_SINCE = now;
    pcb.PERSIST_DEADLINE = now + backedOffRto(pcb);
    host.arm(pcb);
  }
}

/** One octet beyond the window (RFC 9293 section 3.8.6.1). If it is taken, the answer says so. */
function transmitProbe(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.PROBE_NOW === 0) return true;
  if (pcb.isStuck) {
    const isFin = pcb.SEND_START === pcb.SEND_END;
    const length = isFin ? 0 : 1;
    const at = pcb.SND_UNA;
    if (!writeText(host, pcb, at, length, isFin, false, now, egress)) return false;
    // The peer need not take it.
    pcb.presumeLost(seqAdd(at, 1));
    stopTiming(pcb);
  }
  pcb.PROBE_NOW = 0;
  return true;
}

/** An old number, which makes the peer answer (RFC 9293 section 3.8.4). */
function transmitKeepalive(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.KEEPALIVE_NOW === 0) return true;
  if (!writeAcknowledgment(host, pcb, seqAdd(pcb.SND_NXT, -1), now, egress)) return false;
  pcb.KEEPALIVE_NOW = 0;
  return true;
}

/** One for each segment that came out of order: the peer counts them (RFC 5681 section 3.2). */
function transmitDuplicateAcks(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  while (pcb.DUPLICATE_ACKS_OWED > 0) {
    if (!writeAcknowledgment(host, pcb, acceptableSeq(pcb), now, egress)) return false;
    pcb.DUPLICATE_ACKS_OWED--;
  }
  return true;
}

function transmitAcknowledgment(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.ACK_NOW === 0 && !isWindowUpdateDue(host, pcb)) return true;
  if (pcb.STATE === State.SYN_SENT) return true;
  return (
    transmitEarlierAcks(host, pcb, now, egress) &&
    writeAcknowledgment(host, pcb, acceptableSeq(pcb), now, egress)
  );
}

/** Not before the report of a duplicate, which would then lie beyond what is acknowledged (RFC 2883 section 4). */
function transmitEarlierAcks(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  const { earlierAcks } = pcb;
  if (hasDsack(pcb)) return true;
  while (earlierAcks.length > 0 && seqLessThan(earlierAcks[0]!, pcb.RCV_NXT)) {
    if (!writeAckSegment(host, pcb, acceptableSeq(pcb), earlierAcks[0]!, now, egress)) return false;
    pcb.LAST_ACK_SENT = earlierAcks.shift()!;
  }
  return true;
}

/**
 * SND.NXT, unless that is beyond the peer's window: after a restore SND.NXT is the end of everything queued, and the
 * peer would drop the segment without a look at its acknowledgment.
 */
function acceptableSeq(pcb: Pcb): number {
  return seqMin(pcb.SND_NXT, seqAdd(pcb.SND_UNA, pcb.SND_WND));
}

function writeAcknowledgment(
  host: Host,
  pcb: Pcb,
  seq: number,
  now: number,
  egress: Egress,
): boolean {
  if (!writeAckSegment(host, pcb, seq, pcb.RCV_NXT, now, egress)) return false;
  acknowledged(pcb);
  return true;
}

function writeAckSegment(
  host: Host,
  pcb: Pcb,
  seq: number,
  ack: number,
  now: number,
  egress: Egress,
): boolean {
  const header = segmentOf(pcb);
  header.SEG_SEQ = seq;
  header.SEG_ACK = ack;
  header.SEG_WND = offerWindow(host, pcb, ack);
  header.flags = ACK | echoFlag(pcb);
  stamp(pcb, header, now);
  putSackBlocks(pcb, header);
  putUserTimeout(pcb, header, MAX_TCP_OPTIONS_LENGTH);
  if (!writeSegment(host, pcb, header, 0, 0, egress)) return false;
  userTimeoutLeft(pcb, header);
  return true;
}

function transmitSegment(
  host: Host,
  pcb: Pcb,
  seq: number,
  length: number,
  isFin: boolean,
  now: number,
  egress: Egress,
  segmentSize = length,
): boolean {
  const isNew = seq === pcb.SND_NXT;
  const isSmall = length < largestText(pcb);
  if (!writeText(host, pcb, seq, length, isFin, isNew, now, egress, segmentSize)) return false;
  if (!isNew) countRetransmission(host, pcb);
  const count = length + (isFin ? 1 : 0);
  if (isNew && isSmall) pcb.SND_SML = seqAdd(seq, count);
  if (isNew) textLeaves(pcb, length, now);
  hasLeft(host, pcb, seq, count, now);
  pcb.sent(seq, seqAdd(seq, count), now);
  if (pcb.IN_RECOVERY === 1) pcb.prr_out += count;
  else if (isNew) scheduleProbe(host, pcb, now);
  return true;
}

function countRetransmission({ counters }: Host, pcb: Pcb): void {
  counters.TcpRetransSegs++;
  if (pcb.IN_RECOVERY === 1) counters.TcpExtTCPFastRetrans++;
}

function writeText(
  host: Host,
  pcb: Pcb,
  seq: number,
  length: number,
  isFin: boolean,
  isNew: boolean,
  now: number,
  egress: Egress,
  segmentSize = length,
): boolean {
  const header = segmentOf(pcb);
  const offset = pcb.SEND_START + seqSub(seq, pcb.SND_UNA);
  const isLast = offset + length === pcb.SEND_END;
  header.SEG_SEQ = seq;
  header.SEG_ACK = pcb.RCV_NXT;
  header.SEG_WND = offerWindow(host, pcb, pcb.RCV_NXT);
  header.flags = ACK | (isFin ? FIN : 0) | (isLast && length > 0 ? PSH : 0) | echoFlag(pcb);
  if (isNew && length > 0) makeCapable(pcb, header);
  stamp(pcb, header, now);
  putSackBlocks(pcb, header);
  putUserTimeout(pcb, header, largestText(pcb) - length);
  if (!writeSegment(host, pcb, header, offset, length, egress, segmentSize)) return false;
  userTimeoutLeft(pcb, header);
  if (header.flags & CWR) pcb.CWR_NOW = 0;
  acknowledged(pcb);
  return true;
}

/** A segment of `count` numbers from `seq` is on its way. */
function hasLeft(host: Host, pcb: Pcb, seq: number, count: number, now: number): void {
  const end = seqAdd(seq, count);
  if (seqLessThan(seq, pcb.SND_NXT)) stopTiming(pcb);
  else startTiming(pcb, end, now);
  pcb.LAST_SENT = now;
  // A peer that is being answered learns from the answers.
  if (pcb.RECEIVE_END > 0) pcb.QUICK_ACKS = 0;
  // The oldest is on its way again: it gets the time that its answer takes, as in Linux (tcp_xmit_retransmit_queue).
  if (seq === pcb.SND_UNA) restartRetransmissionTimer(host, pcb, now);
  else startRetransmissionTimer(host, pcb, now);
}

/** A segment with ACK has left: nothing waits to be acknowledged. */
function acknowledged(pcb: Pcb): void {
  pcb.ACK_NOW = 0;
  pcb.SEGMENTS_TO_ACK = 0;
  pcb.earlierAcks.length = 0;
  pcb.DELAYED_ACK_DEADLINE = 0;
  pcb.LAST_ACK_SENT = pcb.RCV_NXT;
  // RFC 2883 section 4: a duplicate is reported once.
  pcb.DSACK_RIGHT = pcb.DSACK_LEFT;
}
