import { ErrnoError } from '../../tcp/errno.ts';
import type { Call } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';
import { bindTo } from './bind.ts';

/** What Go, nginx and others have long asked for where nobody says (SOMAXCONN before Linux 5.4). */
const DEFAULT_BACKLOG = 128;

/** Like net.core.somaxconn: more than this is not refused, but not given either. */
const LARGEST_BACKLOG = 4096;

/**
 * listen(2).
 * @param backlog a decimal number; nothing for the default
 * @throws ErrnoError EINVAL EDESTADDRREQ EISCONN
 */
export function listenWith(connection: Connection, backlog: string): void {
  connection.stack.listen(connection.pcb, backlogOf(backlog.trim()));
}

/** Binds first, as Plan 9's `announce` does. */
export function announce(connection: Connection, address: string, call: Call): void {
  bindTo(connection, address, call);
  listenWith(connection, '');
}

/** The backlog; what is written may be an address instead, which is announced. */
export const listen: TextFile<Connection> = {
  name: 'listen',
  stream: false,
  read: ({ pcb }) => String(pcb.BACKLOG),
  write: (connection, text, call) =>
    /[:!]/.test(text) ? announce(connection, text, call) : listenWith(connection, text),
};

function backlogOf(text: string): number {
  if (text === '') return DEFAULT_BACKLOG;
  if (!/^[0-9]{1,10}$/.test(text)) throw new ErrnoError('EINVAL');
  return Math.min(Math.max(Number(text), 1), LARGEST_BACKLOG);
}
