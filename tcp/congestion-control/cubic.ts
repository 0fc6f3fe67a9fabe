import type { Pcb } from '../pcb.ts';
import { seqSub } from '../sequence.ts';
import type { CongestionControl } from './congestion-control.ts';
import { initialWindow, NO_THRESHOLD, slowStart, wasWindowUsed } from './slow-start.ts';

/** RFC 9438 section 5, segments per second cubed. */
const C = 0.4;
/** RFC 9438 section 4.6. */
const BETA = 0.7;
/** RFC 9438 section 4.3: what makes the Reno-friendly region as fast as Reno. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** W_cubic(t) of RFC 9438 section 4.2, figure 1, segments; `t` in seconds since the epoch. */
function W_cubic(pcb: Pcb, t: number): number {
  return C * (t - pcb.CUBIC_K) ** 3 + pcb.CUBIC_W_MAX;
}

/** A stage of congestion avoidance begins (RFC 9438 section 4.2). */
function beginEpoch(pcb: Pcb, cwnd: number, now: number): void {
  pcb.CUBIC_EPOCH = now;
  pcb.CUBIC_W_EST = cwnd;
  if (cwnd < pcb.CUBIC_W_MAX) {
    pcb.CUBIC_K = Math.cbrt((pcb.CUBIC_W_MAX - cwnd) / C);
  } else {
    pcb.CUBIC_K = 0;
    pcb.CUBIC_W_MAX = cwnd;
  }
}

/** Multiplicative decrease (RFC 9438 section 4.6) with fast convergence (section 4.7). */
function decrease(pcb: Pcb): void {
  const SMSS = pcb.SND_MSS;
  const cwnd = pcb.cwnd / SMSS;
  pcb.CUBIC_W_MAX = cwnd < pcb.CUBIC_W_MAX ? (cwnd * (1 + BETA)) / 2 : cwnd;
  pcb.CUBIC_CWND_PRIOR = cwnd;
  pcb.CUBIC_EPOCH = 0;
  const FlightSize = Math.min(seqSub(pcb.SND_NXT, pcb.SND_UNA), pcb.cwnd);
  pcb.ssthresh = Math.max(Math.floor(FlightSize * BETA), 2 * SMSS);
}

/** CUBIC (RFC 9438). Its windows are counted in segments, as in the RFC; cwnd in bytes, as everywhere. */
export const cubic: CongestionControl = {
  start(pcb) {
    pcb.cwnd = initialWindow(pcb.SND_MSS);
    pcb.ssthresh = NO_THRESHOLD;
    pcb.CUBIC_EPOCH = 0;
    pcb.CUBIC_W_MAX = 0;
  },

  acknowledged(pcb, count, now) {
    if (!wasWindowUsed(pcb, count)) return;
    if (pcb.cwnd < pcb.ssthresh) {
      slowStart(pcb, count);
      return;
    }
    const SMSS = pcb.SND_MSS;
    const cwnd = pcb.cwnd / SMSS;
    if (pcb.CUBIC_EPOCH === 0) beginEpoch(pcb, cwnd, now);
    const t = (now - pcb.CUBIC_EPOCH) / 1000;
    const alpha = pcb.CUBIC_W_EST < pcb.CUBIC_CWND_PRIOR ? ALPHA : 1;
    pcb.CUBIC_W_EST += (alpha * count) / SMSS / cwnd;
    if (W_cubic(pcb, t) < pcb.CUBIC_W_EST) {
      // RFC 9438 section 4.3.
      pcb.cwnd = Math.max(pcb.cwnd, Math.floor(pcb.CUBIC_W_EST * SMSS));
      return;
    }
    const ahead = W_cubic(pcb, t + pcb.SRTT / 1000);
    const target = Math.min(Math.max(ahead, cwnd), 1.5 * cwnd);
    pcb.cwnd += Math.floor(((target - cwnd) / cwnd) * count);
  },

  loss(pcb) {
    decrease(pcb);
  },

  timeout(pcb, isFirst) {
    if (isFirst) decrease(pcb);
    pcb.cwnd = pcb.SND_MSS;
    pcb.CUBIC_EPOCH = 0;
  },

  idle(pcb, now) {
    pcb.cwnd = Math.min(pcb.cwnd, initialWindow(pcb.SND_MSS));
    // RFC 9438 section 4.2: time in which nothing was sent does not count.
    if (pcb.CUBIC_EPOCH !== 0) pcb.CUBIC_EPOCH += now - pcb.LAST_SENT;
  },
};
