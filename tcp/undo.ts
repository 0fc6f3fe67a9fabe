import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqAdd } from './sequence.ts';
import { echoedTime } from './timestamps.ts';
import type { TcpHeader } from './wire/tcp.ts';

/**
 * What congestion control knows, what of it the peer has still to be told by CWR, and where it is kept (RFC 9438 section 4.9 for
 * CUBIC's; Linux's tcp_ecn_withdraw_cwr).
 */
const KEPT = [
  ['cwnd', 'PRIOR_cwnd'],
  ['ssthresh', 'PRIOR_ssthresh'],
  ['CWR_NOW', 'PRIOR_CWR_NOW'],
  ['IN_CWR', 'PRIOR_IN_CWR'],
  ['CWR_END', 'PRIOR_CWR_END'],
  ['CUBIC_W_MAX', 'PRIOR_CUBIC_W_MAX'],
  ['CUBIC_CWND_EPOCH', 'PRIOR_CUBIC_CWND_EPOCH'],
  ['CUBIC_EPOCH', 'PRIOR_CUBIC_EPOCH'],
  ['CUBIC_W_EST', 'PRIOR_CUBIC_W_EST'],
  ['CUBIC_CWND_PRIOR', 'PRIOR_CUBIC_CWND_PRIOR'],
] as const satisfies readonly (readonly [keyof Pcb, keyof Pcb])[];

/** Congestion control is about to answer a loss. */
export function keepForUndo(pcb: Pcb, now: number): void {
  for (const [name, prior] of KEPT) pcb[prior] = pcb[name];
  pcb.REDUCED_AT = now;
}

/**
 * The Eifel detection algorithm (RFC 3522 section 3.2): `segment` is the first since the loss to acknowledge something new.
 * If it echoes what left before anything was sent again, that was not lost.
 */
export function answersOriginal(pcb: Pcb, segment: TcpHeader, now: number): boolean {
  const { REDUCED_AT } = pcb;
  pcb.REDUCED_AT = 0;
  return REDUCED_AT !== 0 && echoedTime(pcb, segment, now) <= REDUCED_AT;
}

/** Congestion was there in any case: a router has marked what was sent (RFC 4015 section 3). */
export function forbidUndo(pcb: Pcb): void {
  pcb.REDUCED_AT = 0;
  pcb.F_RTO = 0;
}

/**
 * Nothing was lost: all is as before. RFC 4015 section 3.2 fears a burst after a timeout; with what is in flight counted
 * again there is room only for as much as was acknowledged, and Linux restores cwnd too (tcp_undo_cwnd_reduction).
 */
export function undo(host: Host, pcb: Pcb): void {
  const { cwnd, ssthresh } = pcb;
  for (const [name, prior] of KEPT) pcb[name] = pcb[prior];
  pcb.cwnd = Math.max(pcb.cwnd, cwnd);
  pcb.ssthresh = Math.max(pcb.ssthresh, ssthresh);
  // What comes after all of what was sent later has only been late (RFC 8985 section 6.2, step 3).
  if (pcb.IN_RECOVERY === 1) pcb.RACK_REORDERING_SEEN = 1;
  // The retransmission may have been taken for what was delivered.
  pcb.RACK_XMIT_TS = 0;
  pcb.IN_RECOVERY = 0;
  pcb.F_RTO = 0;
  pcb.DUPACKS = 0;
  pcb.RETRANSMIT_NOW = 0;
  pcb.recover = seqAdd(pcb.SND_UNA, -1);
  pcb.flight?.takeBackLost();
  host.wantOutput(pcb);
}
