import type { Pcb } from '../pcb.ts';
import type { CongestionControl } from './congestion-control.ts';
import { cubic } from './cubic.ts';
import { reno } from './reno.ts';

/** By `pcb.CONGESTION_CONTROL`. The numbers are in the journal. */
const ALGORITHMS: readonly CongestionControl[] = [cubic, reno];

/** Names for `pcb.CONGESTION_CONTROL`, as Linux has them (TCP_CONGESTION), at their numbers. */
export const CONGESTION_CONTROLS = ['cubic', 'reno'] as const;

/** The algorithm that `pcb` has chosen. */
export function congestionControlOf(pcb: Pcb): CongestionControl {
  return ALGORITHMS[pcb.CONGESTION_CONTROL]!;
}
