import type { Commons } from '../commons.ts';
import type { TextFile } from '../file.ts';
import { keyValueLines } from '../key-value-lines.ts';

/** The `status` at the root: facts of the engine, one `key value` line each. */
export const engineStatus: TextFile<Commons> = {
  name: 'status',
  stream: false,
  read: ({ sources }) => keyValueLines(sources.facts()),
};
