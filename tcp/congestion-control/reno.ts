import type { Pcb } from '../pcb.ts';
import type { CongestionControl } from './congestion-control.ts';
import { beginSlowStart, initialWindow, slowStart, wasWindowUsed } from './slow-start.ts';

/** RFC 5681 section 3.1, equation 4. What limited transmit has sent beyond cwnd does not count (section 3.2, step 2). */
function halfOfFlight(pcb: Pcb): number {
  const FlightSize = Math.min(pcb.FlightSize, pcb.cwnd);
  return Math.max(Math.floor(FlightSize / 2), 2 * pcb.SND_MSS);
}

/** Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465). */
export const reno: CongestionControl = {
  start(pcb) {
    beginSlowStart(pcb);
    pcb.CWND_ACKED = 0;
  },

  adopt(pcb) {
    pcb.CWND_ACKED = 0;
  },

  acknowledged(pcb, count, rtt) {
    if (!wasWindowUsed(pcb)) return;
    if (pcb.cwnd < pcb.ssthresh) {
      slowStart(pcb, count, rtt);
      return;
    }
    pcb.CWND_ACKED += count;
    if (pcb.CWND_ACKED >= pcb.cwnd) {
      pcb.CWND_ACKED -= pcb.cwnd;
      pcb.cwnd += pcb.SND_MSS;
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
