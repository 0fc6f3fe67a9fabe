import type { AnyConnection } from '../connection.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';

/** The address at this end; an empty line when there is none yet. */
export const local: TextFile<AnyConnection> = {
  name: 'local',
  stream: false,
  read: ({ pcb }) => endpointLine(pcb.local),
};
