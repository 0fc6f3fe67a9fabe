import type { Pcb } from './pcb.ts';
import { seqSub } from './sequence.ts';

/**
 * Proportional Rate Reduction (RFC 9937): in fast recovery cwnd falls to ssthresh step by step, as fast as text is delivered.
 * All counts are of bytes.
 */

/**
 * Fast recovery begins (RFC 9937 section 6, initialization).
 * @param delivered how many numbers the acknowledgment has delivered that tells of the loss
 * @param acknowledged how many of them are before SND.UNA now
 * @param sacked how many numbers are SACKed now
 */
export function beginReduction(
  pcb: Pcb,
  delivered: number,
  acknowledged: number,
  sacked: number,
): void {
  const newlySacked = delivered - acknowledged;
  const outstanding = seqSub(pcb.SND_NXT, pcb.SND_UNA);
  pcb.RecoverFS = Math.max(1, outstanding - (sacked - newlySacked) + acknowledged);
  pcb.prr_delivered = 0;
  pcb.prr_out = 0;
}

/**
 * An acknowledgment arrives in fast recovery (RFC 9937 section 6, "on every ACK").
 * @param isSafe SafeACK: SND.UNA has advanced and no further loss is known
 */
export function reduce(pcb: Pcb, delivered: number, isSafe: boolean): void {
  const { pipe, ssthresh, SND_MSS } = pcb;
  pcb.prr_delivered += delivered;
  let sndcnt: number;
  if (pipe > ssthresh) {
    sndcnt = Math.ceil((pcb.prr_delivered * ssthresh) / pcb.RecoverFS) - pcb.prr_out;
  } else {
    sndcnt = Math.max(pcb.prr_delivered - pcb.prr_out, delivered);
    if (isSafe) sndcnt += SND_MSS;
    sndcnt = Math.min(ssthresh - pipe, sndcnt);
  }
  // The fast retransmit.
  if (pcb.prr_out === 0) sndcnt = Math.max(sndcnt, SND_MSS);
  pcb.cwnd = Math.max(SND_MSS, pipe + Math.max(0, sndcnt));
}
