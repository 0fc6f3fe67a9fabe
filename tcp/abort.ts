import type { Host } from './host.ts';
import { forget } from './move-out.ts';
import type { Pcb } from './pcb.ts';
import { resetPeer } from './reset.ts';
import { State } from './state.ts';

/** ABORT (RFC 9293 section 3.10.5): the peer is told, nothing waits, and the PCB is gone. */
export function abort(host: Host, pcb: Pcb, now: number): void {
  pcb.CLOSED_BY_USER = 1;
  switch (pcb.STATE) {
    case State.LISTEN:
      abortWaiting(host, pcb, now);
      break;
    case State.MOVED:
      // There is nothing here to abort, and whom to tell is not ours to know.
      forget(host, pcb, now);
      return;
    case State.SYN_RECEIVED:
    case State.ESTABLISHED:
    case State.FIN_WAIT_1:
    case State.FIN_WAIT_2:
    case State.CLOSE_WAIT:
    // In the last two the RFC sends nothing. But the peer may still wait for bytes that are dropped here.
    case State.CLOSING:
    case State.LAST_ACK:
      resetPeer(host, pcb, now);
      break;
  }
  host.finish(pcb, 0);
}

/** The connections of a listener that no user has got end with it. */
export function abortWaiting(host: Host, listener: Pcb, now: number): void {
  const children = [...host.pcbs.values()].filter((pcb) => pcb.LISTENER === listener.ID);
  for (const child of children) abort(host, child, now);
}
