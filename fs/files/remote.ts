import type { Connection } from '../connection.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';

/** The address at the other end; an empty line when there is none. */
export const remote: TextFile<Connection> = {
  name: 'remote',
  stream: false,
  read: ({ pcb }) => endpointLine(pcb.remote),
};
