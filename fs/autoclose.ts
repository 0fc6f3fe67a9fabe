import { ErrnoError } from '../tcp/errno.ts';
import type { AnyConnection } from './connection.ts';
import { OFF_OR_ON } from './sockopt.ts';

/**
 * Whether the last close of an open file closes the connection, as in Plan 9.
 * @param text `on` or `off`
 * @throws ErrnoError EINVAL
 */
export function setAutoclose(connection: AnyConnection, text: string): void {
  const value = OFF_OR_ON.read(text.trim());
  if (value === undefined) throw new ErrnoError('EINVAL');
  connection.node.autoclose = value === 1;
  connection.save();
}
