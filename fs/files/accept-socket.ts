import { type Attempt, BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';
import { socketPath } from '../socket-path.ts';
import { accept, acceptOne } from './accept.ts';

/** `accept` as Genode's socket file system has it: says where the new connection is. */
export const acceptSocket: TextFile<Connection> = {
  ...accept,
  name: 'accept_socket',
  read: (listener): Attempt<string> => {
    const accepted = acceptOne(listener);
    return accepted === BLOCKED ? BLOCKED : socketPath(accepted);
  },
};
