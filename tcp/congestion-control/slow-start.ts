import type { Pcb } from '../pcb.ts';
import { seqLessOrEqual } from '../sequence.ts';
import { beginHystart, hystartGrowth, observeRoundTrip } from './hystart.ts';

/** Beyond any window, so that slow start goes on until the first loss (RFC 5681 section 3.1). */
const NO_THRESHOLD = 0xffffffff;

/** RFC 6928 section 2: IW = min(10*MSS, max(2*MSS, 14600)). */
export function initialWindow(SMSS: number): number {
  return Math.min(10 * SMSS, Math.max(2 * SMSS, 14600));
}

/**
 * How many segments one ACK may open the window by, L: an ACK for many is common now, of receivers that take many from their
 * device at once. RFC 9406 section 4.2 has 8 for a sender that is not paced, and then one ACK for all of the initial window
 * (RFC 6928) would not double it.
 */
const MOST_OF_ONE_ACK = 10;

/** The handshake is done, or the connection restored: nothing is known of the path. */
export function beginSlowStart(pcb: Pcb): void {
  pcb.cwnd = initialWindow(pcb.SND_MSS);
  pcb.ssthresh = NO_THRESHOLD;
  beginHystart(pcb);
}

/** `count` bytes are acknowledged in slow start that had been on their way for `rtt` milliseconds; Infinity: not known. */
export function slowStart(pcb: Pcb, count: number, rtt: number): void {
  // RFC 3465 section 2.3: after a timeout what one ACK covers may have arrived long ago, and L is 1.
  const isAfterTimeout = seqLessOrEqual(pcb.SND_UNA, pcb.recover);
  const L = isAfterTimeout ? 1 : MOST_OF_ONE_ACK;
  const growth = Math.min(count, L * pcb.SND_MSS);
  if (pcb.ssthresh === NO_THRESHOLD) {
    observeRoundTrip(pcb, rtt);
    pcb.cwnd += hystartGrowth(pcb, growth);
  } else {
    pcb.cwnd += growth;
  }
}

/** A window that was not used says nothing about whether the path would bear a larger one (RFC 7661 section 4.2). */
export function wasWindowUsed(pcb: Pcb): boolean {
  return pcb.cwnd <= 2 * pcb.FlightSize;
}
