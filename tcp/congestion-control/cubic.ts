import type { Pcb } from '../pcb.ts';
import type { CongestionControl } from './congestion-control.ts';
import { beginSlowStart, initialWindow, slowStart, wasWindowUsed } from './slow-start.ts';

/** RFC 9438 section 5, segments per second cubed. */
const C = 0.4;
/** RFC 9438 section 4.6. */
const BETA = 0.7;
/** RFC 9438 section 4.3: what makes the Reno-friendly region as fast as Reno. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** W_cubic(t) of RFC 9438 section 4.2, figures 1 and 2; `t` in seconds since the epoch. */
function W_cubic(pcb: Pcb, t: number): number {
  const perCube = C * pcb.SND_MSS;
  const K = Math.cbrt((pcb.CUBIC_W_MAX - pcb.CUBIC_CWND_EPOCH) / perCube);
  return perCube * (t - K) ** 3 + pcb.CUBIC_W_MAX;
}

/** A stage of congestion avoidance begins (RFC 9438 section 4.2). */
function beginEpoch(pcb: Pcb, now: number): void {
  const { cwnd } = pcb;
  pcb.CUBIC_EPOCH = now;
  pcb.CUBIC_CWND_EPOCH = cwnd;
  pcb.CUBIC_W_EST = cwnd;
  pcb.CUBIC_W_MAX = Math.max(pcb.CUBIC_W_MAX, cwnd);
}

/** Multiplicative decrease (RFC 9438 section 4.6) with fast convergence (section 4.7). */
function decrease(pcb: Pcb): void {
  const { cwnd } = pcb;
  pcb.CUBIC_W_MAX = cwnd < pcb.CUBIC_W_MAX ? (cwnd * (1 + BETA)) / 2 : cwnd;
  pcb.CUBIC_CWND_PRIOR = cwnd;
  pcb.CUBIC_EPOCH = 0;
  const FlightSize = Math.min(pcb.FlightSize, cwnd);
  pcb.ssthresh = Math.max(Math.floor(FlightSize * BETA), 2 * pcb.SND_MSS);
}

/** CUBIC (RFC 9438). All windows are in bytes, and not in segments as in the RFC: SND_MSS changes with the path's MTU. */
export const cubic: CongestionControl = {
  start(pcb) {
    beginSlowStart(pcb);
    pcb.CUBIC_EPOCH = 0;
    pcb.CUBIC_W_MAX = 0;
  },

  adopt(pcb) {
    pcb.CUBIC_EPOCH = 0;
    pcb.CUBIC_W_MAX = 0;
  },

  acknowledged(pcb, count, rtt, now) {
    if (!wasWindowUsed(pcb)) return;
    if (pcb.cwnd < pcb.ssthresh) {
      slowStart(pcb, count, rtt);
      return;
    }
    const { cwnd } = pcb;
    if (pcb.CUBIC_EPOCH === 0) beginEpoch(pcb, now);
    const t = (now - pcb.CUBIC_EPOCH) / 1000;
    const alpha = pcb.CUBIC_W_EST < pcb.CUBIC_CWND_PRIOR ? ALPHA : 1;
    pcb.CUBIC_W_EST += (alpha * count * pcb.SND_MSS) / cwnd;
    if (W_cubic(pcb, t) < pcb.CUBIC_W_EST) {
      // RFC 9438 section 4.3.
      pcb.cwnd = Math.max(cwnd, Math.floor(pcb.CUBIC_W_EST));
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
    // RFC 9438 section 4.8: the next stage begins its curve where slow start ends.
    pcb.CUBIC_W_MAX = 0;
  },

  idle(pcb, now) {
    pcb.cwnd = Math.min(pcb.cwnd, initialWindow(pcb.SND_MSS));
    // RFC 9438 section 4.2: time in which nothing was sent does not count.
    if (pcb.CUBIC_EPOCH !== 0) pcb.CUBIC_EPOCH += now - pcb.LAST_SENT;
  },
};
