import { reduceForLoss } from './ecn.ts';
import type { Host } from './host.ts';
import { isNumberOfProbe, mtuProbeFails } from './mtu-search.ts';
import type { Pcb } from './pcb.ts';
import { restartRetransmissionTimer } from './retransmission-timeout.ts';
import { seqLessOrEqual, seqLessThan, seqSub } from './sequence.ts';
import { keepForUndo } from './undo.ts';

/** RFC 5681 section 3.2: so many duplicates mean a loss. */
const DUPLICATES_OF_A_LOSS = 3;

/** A duplicate ACK, as RFC 5681 section 2 defines it, has come (RFC 5681 section 3.2; RFC 6582 section 3.2). */
export function duplicateAck(host: Host, pcb: Pcb, now: number): void {
  if (pcb.DUPACKS < 255) pcb.DUPACKS++;
  if (pcb.IN_RECOVERY === 1) {
    // A segment has left the path. No more of them than were in flight.
    const FlightSize = seqSub(pcb.SND_NXT, pcb.SND_UNA);
    if (pcb.cwnd < pcb.ssthresh + FlightSize) pcb.cwnd += pcb.SND_MSS;
  } else if (pcb.DUPACKS === DUPLICATES_OF_A_LOSS && isNumberOfProbe(pcb, pcb.SND_UNA)) {
    mtuProbeFails(pcb, pcb.MTU_PROBE_SIZE - 1, now);
    pcb.flight?.loseFirst(seqSub(pcb.MTU_PROBE_END, pcb.MTU_PROBE_SEQ));
  } else if (pcb.DUPACKS === DUPLICATES_OF_A_LOSS && seqLessThan(pcb.recover, pcb.SND_UNA)) {
    pcb.MTU_PROBE_SIZE = 0;
    host.counters.TcpExtTCPRenoRecovery++;
    keepForUndo(pcb, now);
    reduceForLoss(pcb);
    pcb.recover = pcb.SND_NXT;
    pcb.IN_RECOVERY = 1;
    pcb.flight?.loseFirst(pcb.SND_MSS);
    pcb.RETRANSMIT_NOW = 1;
    pcb.cwnd = pcb.ssthresh + DUPLICATES_OF_A_LOSS * pcb.SND_MSS;
  }
  host.wantOutput(pcb);
}

/**
 * In fast recovery, `count` new bytes were acknowledged: all that was sent before the loss was noticed (a full
 * acknowledgment), or not all, and then the next segment is lost too (RFC 6582 section 3.2, step 3).
 */
export function newAckInRecovery(host: Host, pcb: Pcb, count: number, now: number): void {
  const SMSS = pcb.SND_MSS;
  if (seqLessOrEqual(pcb.recover, pcb.SND_UNA)) {
    const FlightSize = seqSub(pcb.SND_NXT, pcb.SND_UNA);
    pcb.cwnd = Math.min(pcb.ssthresh, Math.max(FlightSize, SMSS) + SMSS);
    pcb.IN_RECOVERY = 0;
    return;
  }
  pcb.flight?.loseFirst(SMSS);
  pcb.RETRANSMIT_NOW = 1;
  const deflated = Math.max(pcb.cwnd - count, SMSS);
  pcb.cwnd = count >= SMSS ? deflated + SMSS : deflated;
  restartRetransmissionTimer(host, pcb, now);
}
