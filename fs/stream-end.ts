import { type ErrnoName, errnoName } from '../tcp/errno.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { State } from '../tcp/state.ts';
import type { Connection } from './connection.ts';

/**
 * What ended the connection, if no reader or writer of `data` has been told. Behind the peer's FIN a reset means only that it
 * wants nothing more (tcp_reset in net/ipv4/tcp_input.c).
 */
export function untoldError({ pcb, node }: Connection): ErrnoName | undefined {
  // The stream goes on elsewhere: a reader of this one must never take that for its end.
  const isToldOnce = pcb.STATE !== State.MOVED;
  if (pcb.ERROR === 0 || (isToldOnce && node.errorTold)) return undefined;
  const error = errnoName(pcb.ERROR) ?? 'EIO';
  return error === 'ECONNRESET' && pcb.FIN_RECEIVED === 1 ? 'EPIPE' : error;
}

/** Nothing more will come or go here: it has been a connection and is none, or another host's, or somebody has closed it. */
export function hasEnded(pcb: Pcb): boolean {
  if (pcb.STATE === State.MOVED) return true;
  return pcb.CLOSED_BY_USER === 1 || (pcb.STATE === State.CLOSED && pcb.wasEstablished);
}

/** Behind the bytes that can be read now, none will come. */
export function isComplete(pcb: Pcb): boolean {
  return pcb.FIN_RECEIVED === 1 || pcb.RCV_SHUTDOWN === 1 || hasEnded(pcb);
}
