import type { Connection } from '../connection.ts';
import { dial, dialNews, pollDial } from '../dial.ts';
import { errorLine } from '../error-line.ts';
import type { TextFile } from '../file.ts';
import { isConnected, isConnecting } from '../progress.ts';

/**
 * An address written to it is dialed; the write ends when the connection is there, or fails as connect(2) would. Reading
 * never blocks: it says how things are.
 */
export const connect: TextFile<Connection> = {
  name: 'connect',
  stream: false,
  read: ({ pcb }) => {
    if (isConnecting(pcb)) return 'connecting';
    if (isConnected(pcb)) return 'connected';
    return pcb.ERROR === 0 ? 'not connected' : errorLine(pcb.ERROR);
  },
  write: dial,
  poll: pollDial,
  news: dialNews,
};
