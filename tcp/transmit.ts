import { congestionControlOf } from './congestion-control/selected.ts';
import type { Egress } from './egress.ts';
import type { Host } from './host.ts';
import { mssOfMtu } from './largest-segment.ts';
import { Negotiated, type Pcb } from './pcb.ts';
import { initialReceiveWindow, isWindowUpdateDue, offerWindow } from './receive-window.ts';
import {
  backedOffRto,
  restartRetransmissionTimer,
  startRetransmissionTimer,
  startTiming,
  stopTiming,
} from './retransmission-timeout.ts';
import { hasSack, putSackBlocks, sackSize } from './sack-blocks.ts';
import { segmentOf, writeSegment } from './segment-writer.ts';
import { seqAdd, seqLessThan, seqMax, seqMin, seqSub } from './sequence.ts';
import { State } from './state.ts';
import { probeLeaves, scheduleProbe } from './tail-loss-probe.ts';
import { stamp } from './timestamps.ts';
import { ACK, FIN, PSH, SYN } from './wire/tcp.ts';

/**
 * Writes what one connection has to say now (RFC 9293 section 3.8): a SYN, text as far as windows and Nagle let it, a FIN,
 * probes, and if none of them carried it, an acknowledgment.
 * @returns false when `egress` was full before everything was written
 */
export function transmitConnection(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  switch (pcb.STATE) {
    case State.CLOSED:
    case State.LISTEN:
      return true;
    case State.SYN_SENT:
    case State.SYN_RECEIVED:
      return transmitSyn(host, pcb, now, egress) && transmitAcknowledgment(host, pcb, now, egress);
    default:
      return (
        transmitDuplicateAcks(host, pcb, now, egress) &&
        transmitText(host, pcb, now, egress) &&
        transmitTailProbe(host, pcb, now, egress) &&
        transmitProbe(host, pcb, now, egress) &&
        transmitKeepalive(host, pcb, now, egress) &&
        transmitAcknowledgment(host, pcb, now, egress)
      );
  }
}

/** SYN, or SYN and ACK, with what we offer. */
function transmitSyn(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  if (pcb.SYN_NOW === 0) return true;
  const header = segmentOf(pcb);
  header.SEG_SEQ = pcb.ISS;
  header.SEG_WND = initialReceiveWindow(host);
  header.options.hasMss = true;
  header.options.mss = mssOfMtu(host.mtu, pcb.remoteAddress);
  header.options.windowScale = pcb.RCV_WSCALE;
  if (pcb.STATE === State.SYN_SENT) {
    header.SEG_ACK = 0;
    header.flags = SYN;
    header.options.hasWindowScale = true;
    header.options.sackPermitted = true;
  } else {
    header.SEG_ACK = pcb.RCV_NXT;
    header.flags = SYN | ACK;
    // RFC 7323 section 2.2: only in answer to the peer's.
    header.options.hasWindowScale = (pcb.NEGOTIATED & Negotiated.WINDOW_SCALE) !== 0;
    header.options.sackPermitted = hasSack(pcb);
  }
  stamp(pcb, header, now);
  if (!writeSegment(host, pcb, header, 0, 0, egress)) return false;
  acknowledged(pcb);
  hasLeft(host, pcb, pcb.ISS, 1, now);
  pcb.SND_NXT = seqAdd(pcb.ISS, 1);
  pcb.SYN_NOW = 0;
  return true;
}

/** Everything that may go: first what is lost, then what is new (RFC 6675 section 4, NextSeg). */
function transmitText(host: Host, pcb: Pcb, now: number, egress: Egress): boolean {
  restartAfterIdle(pcb, now);
  for (;;) {
    const isAgain = pcb.flight !== undefined && pcb.flight.lost > 0;
    const seq = isAgain ? pcb.flight!.firstLost : pcb.SND_NXT;
    const lostEnd = isAgain ? pcb.flight!.firstLostEnd : seq;
    // Behind what is lost may follow what is new.
    const numbers = seqSub(lostEnd === pcb.SND_NXT ? pcb.sendEndSeq : lostEnd, seq);
    const textEnd = seqAdd(pcb.SND_UNA, pcb.SEND_END - pcb.SEND_START);
    const available = Math.min(numbers, seqSub(textEnd, seq));
    const window = pcb.SND_WND - seqSub(seq, pcb.SND_UNA);
    const length = Math.max(0, Math.min(available, window, largestText(pcb)));
    const isFin = length === available && numbers > available && window > length;
    if (!isFin && !mayTransmit(pcb, length, available, isAgain)) break;
    const isUrgent = isAgain && pcb.RETRANSMIT_NOW === 1;
    // A whole segment or none: what is left of cwnd is no reason for a small one.
    if (Math.max(length, 1) > congestionWindow(pcb, isAgain) - pcb.pipe && !isUrgent) break;
    if (!transmitSegment(host, pcb, seq, length, isFin, now, egress)) return false;
    pcb.RETRANSMIT_NOW = 0;
    pcb.PROBE_NOW = 0;
  }
  pcb.RETRANSMIT_NOW = 0;
  armPersistTimer(host, pcb, now);
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
    const seq = isAgain ? seqMax(SND_UNA, seqAdd(SND_NXT, -most)) : SND_NXT;
    const length = isAgain ? seqSub(seqMin(SND_NXT, textEnd), seq) : unsent;
    const isFin = isAgain && seqLessThan(textEnd, SND_NXT);
    if (!transmitSegment(host, pcb, seq, length, isFin, now, egress)) return false;
    probeLeaves(pcb, isAgain);
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
  const needNotWait = pcb.SND_NXT === pcb.SND_UNA || pcb.NODELAY === 1;
  if (needNotWait && (length === available || length >= pcb.MAX_SND_WND / 2)) return true;
  return pcb.PROBE_NOW === 1;
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
    if (!writeText(host, pcb, at, length, isFin, now, egress)) return false;
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
  return writeAcknowledgment(host, pcb, acceptableSeq(pcb), now, egress);
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
  const header = segmentOf(pcb);
  header.SEG_SEQ = seq;
  header.SEG_ACK = pcb.RCV_NXT;
  header.SEG_WND = offerWindow(host, pcb);
  header.flags = ACK;
  stamp(pcb, header, now);
  putSackBlocks(pcb, header);
  if (!writeSegment(host, pcb, header, 0, 0, egress)) return false;
  acknowledged(pcb);
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
): boolean {
  if (!writeText(host, pcb, seq, length, isFin, now, egress)) return false;
  const count = length + (isFin ? 1 : 0);
  hasLeft(host, pcb, seq, count, now);
  const isNew = seq === pcb.SND_NXT;
  pcb.sent(seq, seqAdd(seq, count), now);
  if (pcb.IN_RECOVERY === 1) pcb.prr_out += count;
  else if (isNew) scheduleProbe(host, pcb, now);
  return true;
}

function writeText(
  host: Host,
  pcb: Pcb,
  seq: number,
  length: number,
  isFin: boolean,
  now: number,
  egress: Egress,
): boolean {
  const header = segmentOf(pcb);
  const offset = pcb.SEND_START + seqSub(seq, pcb.SND_UNA);
  const isLast = offset + length === pcb.SEND_END;
  header.SEG_SEQ = seq;
  header.SEG_ACK = pcb.RCV_NXT;
  header.SEG_WND = offerWindow(host, pcb);
  header.flags = ACK | (isFin ? FIN : 0) | (isLast && length > 0 ? PSH : 0);
  stamp(pcb, header, now);
  putSackBlocks(pcb, header);
  if (!writeSegment(host, pcb, header, offset, length, egress)) return false;
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
  pcb.DELAYED_ACK_DEADLINE = 0;
  pcb.LAST_ACK_SENT = pcb.RCV_NXT;
  // RFC 2883 section 4: a duplicate is reported once.
  pcb.DSACK_RIGHT = pcb.DSACK_LEFT;
}
