import { suspectBlackHole } from './black-hole.ts';
import { congestionControlOf } from './congestion-control/selected.ts';
import { fallBack, windowReduced } from './ecn.ts';
import { errnoNumber } from './errno.ts';
import { beginFrto } from './f-rto.ts';
import type { Flight } from './flight.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { loseOnTimeout } from './rack.ts';
import { resetPeer } from './reset.ts';
import { hasSack } from './sack-blocks.ts';
import { seqLessThan } from './sequence.ts';
import { isSynchronized, State } from './state.ts';
import { echoedRoundTrip } from './timestamps.ts';
import { keepForUndo } from './undo.ts';
import type { TcpHeader } from './wire/tcp.ts';

/** RFC 6298 section 2.1, milliseconds. */
export const INITIAL_RTO = 1000;
/**
 * So much longer than SRTT the RTO is at least: Linux's TCP_RTO_MIN (net/ipv4/tcp_input.c, tcp_rtt_estimator), so that a
 * delayed ACK is no timeout. RFC 6298 section 2.4 would have 1 s in all, from the days of clocks that ticked twice a second.
 */
const MIN_VARIATION = 200;
/** Linux's TCP_RTO_MAX; RFC 6298 section 2.5 asks for at least 60 s. */
const MAX_RTO = 120_000;
/** RFC 6298 section 5.7: what the timer starts from when it ran out during the handshake. */
const RTO_AFTER_LOST_SYN = 3000;
/** The clock's granularity, G: the engine's turns are this apart when it is not busy. */
const G = 1;

/** With the wait after the last 247 s; Linux's 6 are 127 s, and RFC 9293 section 3.8.3 (MUST-23) wants 3 minutes. */
const SYN_RETRIES = 7;
/** Linux's tcp_synack_retries. */
const SYN_ACK_RETRIES = 5;
/** R2 (RFC 9293 section 3.8.3): what Linux's tcp_retries2 = 15 comes to, milliseconds. */
export const R2 = 924_600;

/** Begins to time the segment that ends before `end`, unless one is being timed (RFC 6298 section 3). */
export function startTiming(pcb: Pcb, end: number, now: number): void {
  if (pcb.RTT_STARTED !== 0) return;
  pcb.RTT_STARTED = now;
  pcb.RTT_SEQ = end;
}

/** Something is sent again: an ACK would not tell which of the two it answers (Karn's algorithm). */
export function stopTiming(pcb: Pcb): void {
  pcb.RTT_STARTED = 0;
}

/** `segment` acknowledges something new: the round-trip time that it shows, if any, counts (RFC 6298 section 2). */
export function measure(pcb: Pcb, segment: TcpHeader, now: number): void {
  const R = roundTrip(pcb, segment, now);
  if (R < 0) return;
  // Only a measurement ends the back-off: an ACK of what was sent again tells nothing of the path's delay (section 5).
  pcb.BACKOFF = 0;
  if (pcb.SRTT === 0) {
    pcb.SRTT = Math.max(R, G);
    pcb.RTTVAR = R / 2;
  } else {
    pcb.RTTVAR = (3 / 4) * pcb.RTTVAR + (1 / 4) * Math.abs(pcb.SRTT - R);
    pcb.SRTT = (7 / 8) * pcb.SRTT + (1 / 8) * R;
  }
  pcb.RTO = Math.min(MAX_RTO, pcb.SRTT + Math.max(MIN_VARIATION, 4 * pcb.RTTVAR));
}

/** Milliseconds; -1: not known. Our own clock is finer than that of the timestamps, which serve when something was sent again. */
function roundTrip(pcb: Pcb, segment: TcpHeader, now: number): number {
  const { RTT_STARTED } = pcb;
  if (RTT_STARTED === 0) return echoedRoundTrip(pcb, segment, now);
  if (seqLessThan(segment.SEG_ACK, pcb.RTT_SEQ)) return -1;
  pcb.RTT_STARTED = 0;
  return now - RTT_STARTED;
}

/** RFC 6298 section 5.1: a segment has been sent. */
export function startRetransmissionTimer(host: Host, pcb: Pcb, now: number): void {
  if (pcb.RETRANSMISSION_DEADLINE !== 0) return;
  restartRetransmissionTimer(host, pcb, now);
}

/** RFC 6298 section 5.3: something new has been acknowledged, and more is outstanding. */
export function restartRetransmissionTimer(host: Host, pcb: Pcb, now: number): void {
  pcb.RETRANSMISSION_DEADLINE = now + backedOffRto(pcb);
  boundByUserTimeout(pcb, now);
  host.arm(pcb);
}

/** The retransmission timer, if it runs, runs out no later than when the user has waited long enough. */
export function boundByUserTimeout(pcb: Pcb, now: number): void {
  const { RETRANSMISSION_DEADLINE, UNANSWERED_SINCE } = pcb;
  const timeout = pcb.USER_TIMEOUT || pcb.REMOTE_UTO;
  if (RETRANSMISSION_DEADLINE === 0 || timeout === 0 || UNANSWERED_SINCE === 0) return;
  const last = Math.max(now, UNANSWERED_SINCE + timeout);
  pcb.RETRANSMISSION_DEADLINE = Math.min(RETRANSMISSION_DEADLINE, last);
}

/** RTO, doubled each time the timer has run out (RFC 6298 section 5.5). */
export function backedOffRto(pcb: Pcb): number {
  return Math.min(MAX_RTO, pcb.RTO * 2 ** pcb.BACKOFF);
}

/** What was backed off for is over: the handshake is done, or the window open. */
export function endBackoff(pcb: Pcb): void {
  pcb.BACKOFF = 0;
  pcb.UNANSWERED_SINCE = 0;
}

/** RFC 6298 section 5.7: the handshake is done; if its timer ran out, nothing is known of the path. */
export function startDataTransfer(pcb: Pcb): void {
  if (pcb.BACKOFF > 0) pcb.RTO = Math.max(pcb.RTO, RTO_AFTER_LOST_SYN);
  endBackoff(pcb);
}

/** The retransmission timer has run out (RFC 6298 sections 5.4 to 5.6; RFC 9293 section 3.10.8). */
export function retransmissionTimeout(host: Host, pcb: Pcb, now: number): void {
  pcb.RETRANSMISSION_DEADLINE = 0;
  const isFirst = pcb.UNANSWERED_SINCE === 0;
  if (isFirst) pcb.UNANSWERED_SINCE = now;
  if (isHopeless(pcb, now)) {
    giveUp(host, pcb, now);
    return;
  }
  host.counters.TcpExtTCPTimeouts++;
  if (pcb.BACKOFF < 255) pcb.BACKOFF++;
  pcb.TIMEOUTS_IN_A_ROW = isFirst ? 1 : Math.min(255, pcb.TIMEOUTS_IN_A_ROW + 1);
  if (pcb.STATE === State.SYN_RECEIVED && pcb.BACKOFF === 1) countUnanswered(host, pcb);
  stopTiming(pcb);
  if (isSynchronized(pcb.STATE)) suspectBlackHole(pcb, now);
  const isOfText = !pcb.isSynOutstanding;
  if (isOfText && beginFrto(pcb)) keepForUndo(pcb, now);
  congestionControlOf(pcb).timeout(pcb, isFirst);
  // RFC 6582 section 4: duplicates of what was sent before now tell of no new loss.
  pcb.recover = pcb.SND_NXT;
  pcb.IN_RECOVERY = 0;
  pcb.DUPACKS = 0;
  pcb.REORDERING_DEADLINE = 0;
  pcb.PROBE_DEADLINE = 0;
  pcb.TAIL_PROBE_NOW = 0;
  pcb.IS_PROBE_OUT = 0;
  if (isOfText) {
    pcb.RETRANSMIT_NOW = 1;
    if (pcb.flight !== undefined) loseWhatIsDue(pcb, pcb.flight, now);
    windowReduced(pcb);
  } else {
    pcb.RETRANSMIT_NOW = 0;
    pcb.SYN_NOW = 1;
    fallBack(pcb);
  }
  host.wantOutput(pcb);
}

/**
 * Without SACK there is no telling what is still on the path: everything is sent again, in slow start. With the window closed nothing can be,
 * no timer would run for the rest, and probes find out what has arrived.
 */
function loseWhatIsDue(pcb: Pcb, flight: Flight, now: number): void {
  if (hasSack(pcb) && pcb.SND_WND > 0) loseOnTimeout(pcb, flight, now);
  else flight.loseAll();
}

/** The caller has not come back to its listener in time. */
function countUnanswered(host: Host, pcb: Pcb): void {
  const waiting = host.waiting.get(pcb.LISTENER);
  if (waiting !== undefined) waiting.unanswered++;
}

function isHopeless(pcb: Pcb, now: number): boolean {
  if (pcb.STATE === State.SYN_SENT) return pcb.BACKOFF >= SYN_RETRIES;
  if (pcb.STATE === State.SYN_RECEIVED) return pcb.BACKOFF >= SYN_ACK_RETRIES;
  return isUnansweredTooLong(pcb, now);
}

/** Whether nothing that was sent has been acknowledged for the user timeout, ours or the peer's (RFC 5482), or for R2. */
export function isUnansweredTooLong(pcb: Pcb, now: number): boolean {
  const patience = pcb.USER_TIMEOUT || pcb.REMOTE_UTO || R2;
  return pcb.UNANSWERED_SINCE !== 0 && now - pcb.UNANSWERED_SINCE >= patience;
}

/** R2 has passed: the connection ends, with the best reason known (RFC 9293 sections 3.8.3 and 3.9.2.2). */
export function giveUp(host: Host, pcb: Pcb, now: number): void {
  host.counters.TcpExtTCPAbortOnTimeout++;
  const isNobodys = pcb.STATE === State.SYN_RECEIVED && pcb.LISTENER !== 0;
  if (isNobodys) pcb.CLOSED_BY_USER = 1;
  if (pcb.STATE !== State.SYN_SENT) resetPeer(host, pcb, now);
  host.finish(pcb, pcb.SOFT_ERROR || errnoNumber('ETIMEDOUT'));
}
