import { congestionControlOf } from './congestion-control/selected.ts';
import { echoArrives, hasEcho } from './ecn.ts';
import { showsSpuriousTimeout } from './f-rto.ts';
import { duplicateAck, newAckInRecovery } from './fast-retransmit.ts';
import type { Host } from './host.ts';
import { mtuProbeIsAcknowledged } from './mtu-search.ts';
import type { Pcb } from './pcb.ts';
import { endBackoff, measure, restartRetransmissionTimer } from './retransmission-timeout.ts';
import { hasSack } from './sack-blocks.ts';
import { recover, sackArrives } from './sack-recovery.ts';
import { adjustSendBuffer, isWorthWriting } from './send-buffer.ts';
import { seqLessThan, seqSub } from './sequence.ts';
import { scheduleProbe } from './tail-loss-probe.ts';
import { echoedTime } from './timestamps.ts';
import { answersOriginal, forbidUndo, undo } from './undo.ts';
import { FIN, SYN, type TcpHeader } from './wire/tcp.ts';

/** SEG.WND in bytes: scaled, except in a SYN (RFC 7323 section 2.2). */
export function windowOf(pcb: Pcb, segment: TcpHeader): number {
  return segment.flags & SYN ? segment.SEG_WND : segment.SEG_WND * 2 ** pcb.SND_WSCALE;
}

/**
 * What an acceptable ACK says about what we have sent (RFC 9293 section 3.10.7.4, fifth, ESTABLISHED): it is
 * SND.UNA or later and not beyond SND.NXT.
 */
export function acknowledgmentArrives(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  // The peer lives, whatever it acknowledges: probes go on for as long as they are answered (RFC 9293 section 3.8.6.1).
  if (pcb.PERSIST_DEADLINE !== 0) pcb.UNANSWERED_SINCE = 0;
  pcb.RESUMING = 0;
  echoArrives(pcb, segment);
  if (hasEcho(pcb, segment)) forbidUndo(pcb);
  // Also when it then is all acknowledged, this holds what the segment has told.
  const { flight } = pcb;
  flight?.beginAcknowledgment(now, pcb.RACK_MIN_RTT, echoedTime(pcb, segment, now));
  const before = pcb.SND_UNA;
  const isNew = seqLessThan(before, segment.SEG_ACK);
  if (isNew) newlyAcknowledged(host, pcb, segment, now);
  const isDuplicateAck = !isNew && isDuplicate(pcb, segment);
  if (hasSack(pcb) && flight !== undefined) sackArrives(pcb, flight, segment, isNew);
  if (flight !== undefined && showsSpuriousTimeout(pcb, flight, isNew, isDuplicateAck)) {
    undo(host, pcb);
    restartOrStopRetransmissionTimer(host, pcb, now);
  }
  if (hasSack(pcb)) {
    if (flight !== undefined) recover(host, pcb, flight, now, seqSub(pcb.SND_UNA, before));
    if (isNew) scheduleProbe(host, pcb, now);
  } else if (isDuplicateAck) {
    duplicateAck(host, pcb, now);
  }
  updateSendWindow(host, pcb, segment, isNew);
}

function newlyAcknowledged(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  const { SEG_ACK } = segment;
  const numbers = seqSub(SEG_ACK, pcb.SND_UNA);
  const { flight } = pcb;
  const text = pcb.acknowledge(SEG_ACK);
  const count = hasSack(pcb) && flight !== undefined ? flight.delivered : unreported(pcb, numbers);
  const rtt = flight === undefined ? Infinity : now - flight.deliveredTime;
  measure(pcb, segment, now);
  mtuProbeIsAcknowledged(pcb, now);
  pcb.UNANSWERED_SINCE = 0;
  pcb.DUPACKS = 0;
  if (answersOriginal(pcb, segment, now)) undo(host, pcb);
  restartOrStopRetransmissionTimer(host, pcb, now);
  if (pcb.IN_RECOVERY === 0) {
    if (!hasEcho(pcb, segment)) congestionControlOf(pcb).acknowledged(pcb, count, rtt, now);
    adjustSendBuffer(host, pcb);
  } else if (!hasSack(pcb)) {
    newAckInRecovery(host, pcb, numbers, now);
  }
  if (text > 0 && isWorthWriting(pcb)) host.changed(pcb);
  host.wantOutput(pcb);
}

/**
 * How many of `numbers`, which are newly acknowledged, no duplicate ACK has told of; of a segment's worth none can have. For the
 * others new text has left already (RFC 3042), and together they would open the window by a burst, when a gap is filled.
 */
function unreported(pcb: Pcb, numbers: number): number {
  const { DUPACKS, SND_MSS } = pcb;
  return Math.max(Math.min(numbers, SND_MSS), numbers - DUPACKS * SND_MSS);
}

/** RFC 6298 sections 5.2 and 5.3: something was acknowledged. What is lost waits for its retransmission to start the timer. */
function restartOrStopRetransmissionTimer(host: Host, pcb: Pcb, now: number): void {
  if (pcb.pipe === 0) pcb.RETRANSMISSION_DEADLINE = 0;
  else restartRetransmissionTimer(host, pcb, now);
}

/** RFC 5681 section 2, "duplicate acknowledgment". The answer to a probe is none, though it looks like one. */
function isDuplicate(pcb: Pcb, segment: TcpHeader): boolean {
  return (
    segment.SEG_ACK === pcb.SND_UNA &&
    pcb.SND_UNA !== pcb.SND_NXT &&
    segment.payloadLength === 0 &&
    (segment.flags & (SYN | FIN)) === 0 &&
    windowOf(pcb, segment) === pcb.SND_WND &&
    pcb.PERSIST_DEADLINE === 0
  );
}

/**
 * "Note that SND.WND is an offset from SND.UNA" and that old segments must not update it (RFC 9293 section 3.10.7.4). What
 * moves SND.UNA is not old, though its text may have been sent before: left as it is, SND.WND would then reach further than
 * was ever offered. Linux takes it too (net/ipv4/tcp_input.c, tcp_may_update_window).
 */
function updateSendWindow(host: Host, pcb: Pcb, segment: TcpHeader, isNewAck: boolean): void {
  const { SEG_SEQ, SEG_ACK } = segment;
  if (SEG_ACK !== pcb.SND_UNA) return;
  const isNewer =
    isNewAck ||
    seqLessThan(pcb.SND_WL1, SEG_SEQ) ||
    (pcb.SND_WL1 === SEG_SEQ && !seqLessThan(SEG_ACK, pcb.SND_WL2));
  if (isNewer) setSendWindow(host, pcb, segment);
}

/** Takes over the window that `segment` offers. */
export function setSendWindow(host: Host, pcb: Pcb, segment: TcpHeader): void {
  const window = windowOf(pcb, segment);
  if (window > pcb.SND_WND) {
    host.wantOutput(pcb);
    if (pcb.PERSIST_DEADLINE !== 0) {
      pcb.PERSIST_DEADLINE = 0;
      endBackoff(pcb);
    }
  }
  pcb.SND_WND = window;
  pcb.SND_WL1 = segment.SEG_SEQ;
  pcb.SND_WL2 = segment.SEG_ACK;
  if (window > pcb.MAX_SND_WND) pcb.MAX_SND_WND = window;
}
