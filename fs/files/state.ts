import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';

const current = ({ pcb }: Connection) => pcb.state;

/** The state's name in RFC 9293 section 3.3.2. */
export const state: TextFile<Connection> = {
  name: 'state',
  stream: false,
  read: current,
  current,
  news: ({ pcb }) => ({ arrivals: pcb.STATE, refusals: 0 }),
};
