import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { demandRoom } from './room.ts';
import { State } from './state.ts';
import { TcpError } from './tcp-error.ts';
import { throwError } from './throw-error.ts';

/**
 * SEND (RFC 9293 section 3.10.2). What is sent before the handshake is done waits for it.
 * @returns how many bytes of `source` were taken; 0 when the buffer is full
 * @throws TcpError ENOTCONN never connected; EPIPE closed for sending; ENOSPC nothing more can be kept; what ended the
 * connection
 */
export function send(host: Host, pcb: Pcb, source: Uint8Array): number {
  throwError(pcb);
  if (pcb.REMOTE_PORT === 0) throw new TcpError('ENOTCONN');
  if (pcb.STATE === State.CLOSED || pcb.FIN_QUEUED === 1) throw new TcpError('EPIPE');
  demandRoom(host);
  const count = pcb.queue(source);
  if (count > 0) host.wantOutput(pcb);
  return count;
}
