import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqSub } from './sequence.ts';
import { isSynchronized } from './state.ts';

/** For so long a peer has to be silent at the least, milliseconds: longer than Linux's least RTO, so that what was lost has come again. */
const SILENCE = 300;

/**
 * No window opens any more, and no caller is let in. Peers send what they have been offered, and then their windows are closed, at the
 * right edge; or they have no more to send.
 */
export function beginFreeze(host: Host): void {
  host.isFreezing = true;
}

/** Whether everything that was on its way here has been taken and acknowledged, as far as that can be told. */
export function isSettled(host: Host, now: number): boolean {
  for (const pcb of host.pcbs.values()) if (!isAtRest(pcb, now)) return false;
  return true;
}

function isAtRest(pcb: Pcb, now: number): boolean {
  if (!isSynchronized(pcb.STATE)) return true;
  if (seqSub(pcb.RCV_NXT, pcb.LAST_ACK_SENT) > 0) return false;
  // Less than a unit cannot be said, and is not filled.
  const isClosed = pcb.RCV_WND < 2 ** pcb.RCV_WSCALE || pcb.FIN_RECEIVED === 1;
  return isClosed || now - pcb.LAST_HEARD >= Math.max(SILENCE, 1.5 * pcb.SRTT);
}
