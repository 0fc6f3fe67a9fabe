import type { AnyConnection } from '../connection.ts';
import { errorLine } from '../error-line.ts';
import type { TextFile } from '../file.ts';

/**
 * What ended the connection, as `ECONNRESET Connection reset by peer`; an empty line when nothing did. It stays, but for that of a
 * UDP socket, which is told once.
 */
export const error: TextFile<AnyConnection> = {
  name: 'error',
  stream: false,
  read: ({ pcb }) => errorLine(pcb.ERROR),
};
