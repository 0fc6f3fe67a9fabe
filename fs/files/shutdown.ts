import { ErrnoError } from '../../tcp/errno.ts';
import type { Call } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';

/**
 * shutdown(2).
 * @param how `rd`, `wr` or `rdwr`
 * @throws ErrnoError EINVAL ENOTCONN
 */
export function shutdownAs(connection: Connection, how: string, call: Call): void {
  if (how !== 'rd' && how !== 'wr' && how !== 'rdwr') throw new ErrnoError('EINVAL');
  const { pcb, stack } = connection;
  if (how !== 'wr') stack.shutdownReceive(pcb, call.now);
  if (how !== 'rd') stack.shutdown(pcb, call.now);
}

/** Ends one direction of the stream, or both. */
export const shutdown: TextFile<Connection> = {
  name: 'shutdown',
  stream: false,
  write: (connection, text, call) => shutdownAs(connection, text.trim(), call),
};
