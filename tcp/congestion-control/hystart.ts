import type { Pcb } from '../pcb.ts';
import { seqLessThan } from '../sequence.ts';

/**
 * HyStart++ (RFC 9406): the first slow start would double the window until a queue overflows, and then half of it is lost. When
 * round trips grow longer, a queue is filling: slow start goes on slowly (conservative slow start, CSS), and if they stay longer it
 * is over.
 */

/** So many round trips must be known of a round before its least one means something (section 4.3). */
const N_RTT_SAMPLE = 8;
/** How much longer a round trip must be than in the round before: an eighth, but within these bounds, milliseconds. */
const MIN_RTT_DIVISOR = 8;
const MIN_RTT_THRESH = 4;
const MAX_RTT_THRESH = 16;
/** By how much slower the window grows in CSS, and for how many rounds. */
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/** Slow start begins. */
export function beginHystart(pcb: Pcb): void {
  pcb.ROUND_END = pcb.SND_NXT;
  pcb.ROUND_SAMPLES = 0;
  pcb.LAST_ROUND_MIN_RTT = 0;
  pcb.CSS_BASELINE_RTT = 0;
}

/**
 * An ACK has come in the first slow start (section 4.2).
 * @param rtt how long what it acknowledges had been on its way, milliseconds; Infinity: not known
 */
export function observeRoundTrip(pcb: Pcb, rtt: number): void {
  // What was sent when a round began is all acknowledged, and something that was sent in it.
  if (seqLessThan(pcb.ROUND_END, pcb.SND_UNA)) nextRound(pcb);
  if (rtt === Infinity) return;
  pcb.ROUND_MIN_RTT = pcb.ROUND_SAMPLES === 0 ? rtt : Math.min(pcb.ROUND_MIN_RTT, rtt);
  if (pcb.ROUND_SAMPLES < N_RTT_SAMPLE) pcb.ROUND_SAMPLES++;
  if (pcb.ROUND_SAMPLES < N_RTT_SAMPLE) return;
  if (isConservative(pcb)) {
    if (pcb.ROUND_MIN_RTT < pcb.CSS_BASELINE_RTT) pcb.CSS_BASELINE_RTT = 0;
  } else if (isLonger(pcb.ROUND_MIN_RTT, pcb.LAST_ROUND_MIN_RTT)) {
    pcb.CSS_BASELINE_RTT = pcb.ROUND_MIN_RTT;
    pcb.CSS_ROUND = 0;
  }
}

/** How much of `count` the window may grow by. */
export function hystartGrowth(pcb: Pcb, count: number): number {
  return isConservative(pcb) ? Math.ceil(count / CSS_GROWTH_DIVISOR) : count;
}

function nextRound(pcb: Pcb): void {
  pcb.ROUND_END = pcb.SND_NXT;
  pcb.LAST_ROUND_MIN_RTT = pcb.ROUND_SAMPLES === 0 ? 0 : pcb.ROUND_MIN_RTT;
  pcb.ROUND_SAMPLES = 0;
  if (!isConservative(pcb)) return;
  pcb.CSS_ROUND++;
  if (pcb.CSS_ROUND === CSS_ROUNDS) pcb.ssthresh = pcb.cwnd;
}

function isConservative(pcb: Pcb): boolean {
  return pcb.CSS_BASELINE_RTT !== 0;
}

function isLonger(rtt: number, before: number): boolean {
  if (before === 0) return false;
  const eighth = before / MIN_RTT_DIVISOR;
  return rtt >= before + Math.min(Math.max(eighth, MIN_RTT_THRESH), MAX_RTT_THRESH);
}
