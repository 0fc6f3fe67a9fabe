import type { Pcb } from '../pcb.ts';
import { seqSub } from '../sequence.ts';
import type { CongestionControl } from './congestion-control.ts';

/** Beyond any window, so that slow start goes on until the first loss (RFC 5681 section 3.1). */
const NO_THRESHOLD = 0xffffffff;

/** RFC 6928 section 2: IW = min(10*MSS, max(2*MSS, 14600)). */
export function initialWindow(SMSS: number): number {
  return Math.min(10 * SMSS, Math.max(2 * SMSS, 14600));
}

/** RFC 5681 section 3.1, equation 4. What limited transmit has sent beyond cwnd does not count (section 3.2, step 2). */
function halfOfFlight(pcb: Pcb): number {
  const FlightSize = Math.min(seqSub(pcb.SND_NXT, pcb.SND_UNA), pcb.cwnd);
  return Math.max(Math.floor(FlightSize / 2), 2 * pcb.SND_MSS);
}

/** Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465). */
export const reno: CongestionControl = {
  start(pcb) {
    pcb.cwnd = initialWindow(pcb.SND_MSS);
    pcb.ssthresh = NO_THRESHOLD;
    pcb.CWND_ACKED = 0;
  },

  acknowledged(pcb, count) {
    const SMSS = pcb.SND_MSS;
    const FlightSize = seqSub(pcb.SND_NXT, pcb.SND_UNA) + count;
    // A window that was not used says nothing about whether the path would bear a larger one (RFC 7661 section 4.2).
    if (pcb.cwnd > 2 * FlightSize) return;
    if (pcb.cwnd < pcb.ssthresh) {
      // RFC 3465 section 2.3: L = 2*SMSS, so that one delayed ACK for two segments opens two.
      pcb.cwnd += Math.min(count, 2 * SMSS);
      return;
    }
    pcb.CWND_ACKED += count;
    if (pcb.CWND_ACKED >= pcb.cwnd) {
      pcb.CWND_ACKED -= pcb.cwnd;
      pcb.cwnd += SMSS;
    }
  },

  loss(pcb) {
    pcb.ssthresh = halfOfFlight(pcb);
  },

  timeout(pcb, isFirst) {
    if (isFirst) pcb.ssthresh = halfOfFlight(pcb);
    pcb.cwnd = pcb.SND_MSS;
    pcb.CWND_ACKED = 0;
  },

  idle(pcb) {
    pcb.cwnd = Math.min(pcb.cwnd, initialWindow(pcb.SND_MSS));
  },
};
