import type { Pcb } from '../pcb.ts';
import { seqSub } from '../sequence.ts';

/** Beyond any window, so that slow start goes on until the first loss (RFC 5681 section 3.1). */
export const NO_THRESHOLD = 0xffffffff;

/** RFC 6928 section 2: IW = min(10*MSS, max(2*MSS, 14600)). */
export function initialWindow(SMSS: number): number {
  return Math.min(10 * SMSS, Math.max(2 * SMSS, 14600));
}

/** `count` bytes are acknowledged in slow start. RFC 3465 section 2.3: L = 2*SMSS, so that one delayed ACK for two segments opens two. */
export function slowStart(pcb: Pcb, count: number): void {
  pcb.cwnd += Math.min(count, 2 * pcb.SND_MSS);
}

/** A window that was not used says nothing about whether the path would bear a larger one (RFC 7661 section 4.2). */
export function wasWindowUsed(pcb: Pcb, count: number): boolean {
  const FlightSize = seqSub(pcb.SND_NXT, pcb.SND_UNA) + count;
  return pcb.cwnd <= 2 * FlightSize;
}
