import type { Commons } from '../commons.ts';
import type { TextFile } from '../file.ts';
import { keyValueLines } from '../key-value-lines.ts';

/** How the journal is, one `key value` line each. */
export const journalStatus: TextFile<Commons> = {
  name: 'status',
  stream: false,
  read: ({ sources }) => keyValueLines(sources.journal()),
};
