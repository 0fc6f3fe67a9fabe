import type { Call } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';
import { endpoint } from '../input.ts';
import { checkPort } from '../owner.ts';

/**
 * bind(2). Port 0 asks for any free one.
 * @throws ErrnoError EINVAL EACCES EADDRINUSE EADDRNOTAVAIL
 */
export function bindTo(connection: Connection, address: string, call: Call): void {
  const local = endpoint(address);
  checkPort(local.port, call);
  connection.stack.bind(connection.pcb, local);
}

/** The local address. */
export const bind: TextFile<Connection> = {
  name: 'bind',
  stream: false,
  read: ({ pcb }) => endpointLine(pcb.local),
  write: bindTo,
};
