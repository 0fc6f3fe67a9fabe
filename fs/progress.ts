import type { Pcb } from '../tcp/pcb.ts';
import { isSynchronized, State } from '../tcp/state.ts';

/** An active or simultaneous open is under way. */
export function isConnecting(pcb: Pcb): boolean {
  return pcb.STATE === State.SYN_SENT || pcb.STATE === State.SYN_RECEIVED;
}

/** Bytes may still go in at least one direction. */
export function isConnected(pcb: Pcb): boolean {
  return isSynchronized(pcb.STATE) && !isOver(pcb);
}

/** Both directions have ended, never began, or go on elsewhere. */
export function isOver(pcb: Pcb): boolean {
  switch (pcb.STATE) {
    case State.CLOSED:
    case State.LISTEN:
    case State.CLOSING:
    case State.LAST_ACK:
    case State.TIME_WAIT:
    case State.MOVED:
      return true;
    default:
      return false;
  }
}
