import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { adjustReceiveBuffer } from './receive-buffer.ts';
import { TcpError } from './tcp-error.ts';
import { throwError } from './throw-error.ts';

/**
 * RECEIVE (RFC 9293 section 3.10.3). What came before an error is given first.
 * @returns how many bytes `target` got; 0 when there are none: for ever if `pcb.atEnd`
 * @throws TcpError ENOTCONN never connected; what ended the connection
 */
export function receive(host: Host, pcb: Pcb, target: Uint8Array, now: number): number {
  const count = pcb.read(target);
  if (count > 0) {
    adjustReceiveBuffer(host, pcb, now);
    // The window may have opened enough to tell the peer.
    host.wantOutput(pcb);
    return count;
  }
  if (pcb.REMOTE_PORT === 0) throw new TcpError('ENOTCONN');
  if (target.length > 0) throwError(pcb);
  return 0;
}
