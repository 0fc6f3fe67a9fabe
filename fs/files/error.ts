import type { Connection } from '../connection.ts';
import { errorLine } from '../error-line.ts';
import type { TextFile } from '../file.ts';

/** What ended the connection, as `ECONNRESET Connection reset by peer`; an empty line when nothing did. It stays. */
export const error: TextFile<Connection> = {
  name: 'error',
  stream: false,
  read: ({ pcb }) => errorLine(pcb.ERROR),
};
