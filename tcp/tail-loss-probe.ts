import { congestionControlOf } from './congestion-control/selected.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { restartRetransmissionTimer } from './retransmission-timeout.ts';
import { hasSack } from './sack-blocks.ts';
import { seqLessOrEqual, seqLessThan } from './sequence.ts';
import { isSynchronized } from './state.ts';

/** TLP.max_ack_delay (RFC 8985 section 7.2): how long a peer may hold back the ACK of a single segment; Linux's TCP_RTO_MIN. */
const MAX_ACK_DELAY = 200;
/** On a path of microseconds, a host that is merely busy is not to be asked again. */
const MIN_PTO = 10;
/** Before the round-trip time is known (RFC 8985 section 7.2). */
const INITIAL_PTO = 1000;

/** New text has left, or something new was acknowledged: when to ask for the tail (RFC 8985 section 7.2). */
export function scheduleProbe(host: Host, pcb: Pcb, now: number): void {
  pcb.PROBE_DEADLINE = 0;
  if (!isProbeOfUse(pcb)) return;
  const at = now + probeTimeout(pcb);
  const { RETRANSMISSION_DEADLINE } = pcb;
  pcb.PROBE_DEADLINE = RETRANSMISSION_DEADLINE === 0 ? at : Math.min(at, RETRANSMISSION_DEADLINE);
  host.arm(pcb);
}

/** Only what cannot otherwise learn of a loss asks: no hole is known, nothing is being repaired, and no probe is out. */
function isProbeOfUse(pcb: Pcb): boolean {
  const { flight } = pcb;
  if (flight === undefined || !hasSack(pcb) || !isSynchronized(pcb.STATE)) return false;
  if (pcb.IN_RECOVERY === 1 || seqLessThan(pcb.SND_UNA, pcb.recover)) return false;
  return flight.sacked === 0 && flight.lost === 0 && pcb.IS_PROBE_OUT === 0;
}

/** TLP_calc_PTO (RFC 8985 section 7.2), milliseconds. */
function probeTimeout(pcb: Pcb): number {
  if (pcb.SRTT === 0) return INITIAL_PTO;
  const PTO = Math.max(MIN_PTO, 2 * pcb.SRTT);
  // One segment, and its FIN.
  return pcb.pipe <= pcb.SND_MSS + 1 ? PTO + MAX_ACK_DELAY : PTO;
}

/** The probe timer has run out: one segment must leave, whatever cwnd says (RFC 8985 section 7.3). */
export function probeTimeoutExpired(host: Host, pcb: Pcb, now: number): void {
  pcb.PROBE_DEADLINE = 0;
  if (!isProbeOfUse(pcb)) return;
  pcb.TAIL_PROBE_NOW = 1;
  restartRetransmissionTimer(host, pcb, now);
  host.wantOutput(pcb);
}

/** A probe leaves that ends at SND.NXT. */
export function probeLeaves(pcb: Pcb, isRetransmission: boolean): void {
  pcb.TAIL_PROBE_NOW = 0;
  pcb.IS_PROBE_OUT = 1;
  pcb.IS_PROBE_AGAIN = isRetransmission ? 1 : 0;
  pcb.PROBE_END_SEQ = pcb.SND_NXT;
}

/**
 * TLP_process_ack (RFC 8985 section 7.4.2): whether the probe has repaired a loss in secret, which then has to be answered as any other.
 * @param isDuplicate whether the segment says by D-SACK that the probe's text was there already
 * @param isBare whether the segment has no other news: no new acknowledgment, no text, no SACK block
 */
export function probeIsAcknowledged(
  pcb: Pcb,
  SEG_ACK: number,
  isDuplicate: boolean,
  isBare: boolean,
): void {
  if (pcb.IS_PROBE_OUT === 0 || seqLessThan(SEG_ACK, pcb.PROBE_END_SEQ)) return;
  if (pcb.IS_PROBE_AGAIN === 0 || isDuplicate) {
    pcb.IS_PROBE_OUT = 0;
  } else if (!seqLessOrEqual(SEG_ACK, pcb.PROBE_END_SEQ)) {
    pcb.IS_PROBE_OUT = 0;
    congestionControlOf(pcb).loss(pcb);
    pcb.cwnd = pcb.ssthresh;
  } else if (isBare) {
    pcb.IS_PROBE_OUT = 0;
  }
}
