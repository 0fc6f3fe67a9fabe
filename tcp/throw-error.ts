import { errnoName } from './errno.ts';
import type { Pcb } from './pcb.ts';
import { TcpError } from './tcp-error.ts';

/**
 * @throws TcpError what ended the connection, if something did
 */
export function throwError(pcb: Pcb): void {
  if (pcb.ERROR !== 0) throw new TcpError(errnoName(pcb.ERROR) ?? 'EIO');
}
