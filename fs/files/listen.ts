import { ErrnoError } from '../../tcp/errno.ts';
import type { Call } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';
import { bindTo } from './bind.ts';

/** SOMAXCONN of Linux (include/linux/socket.h), which is also the most that the stack gives. */
const DEFAULT_BACKLOG = 4096;

/**
 * listen(2).
 * @param backlog a decimal number; nothing for the default
 * @throws ErrnoError EINVAL EADDRINUSE
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
  return Number(text);
}
