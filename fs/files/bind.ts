import type { Call } from '../attempt.ts';
import type { AnyConnection } from '../connection.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';
import { endpoint } from '../input.ts';
import { checkPort } from '../owner.ts';

/**
 * bind(2). Port 0 asks for any free one.
 * @throws ErrnoError EINVAL EACCES EADDRINUSE EADDRNOTAVAIL
 */
export function bindTo(connection: AnyConnection, address: string, call: Call): void {
  const local = endpoint(address, connection.connections.name);
  checkPort(local.port, call);
  connection.bind(local);
}

/** The local address. */
export const bind: TextFile<AnyConnection> = {
  name: 'bind',
  stream: false,
  read: ({ pcb }) => endpointLine(pcb.local),
  write: bindTo,
};
