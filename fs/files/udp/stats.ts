import type { Commons } from '../../commons.ts';
import { counterLines } from '../../counter-lines.ts';
import type { TextFile } from '../../file.ts';

/** What has happened to datagrams since the engine began: one `Name: value` line each. */
export const udpStats: TextFile<Commons> = {
  name: 'stats',
  stream: false,
  read: ({ stack: { counters } }) => counterLines(counters, (name) => name.startsWith('Udp')),
};
