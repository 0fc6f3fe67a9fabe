import type { Commons } from '../../commons.ts';
import type { TextFile } from '../../file.ts';

/** The stack's addresses with the lengths of their prefixes, one a line. */
export const address: TextFile<Commons> = {
  name: 'address',
  stream: false,
  read: ({ sources }) => sources.addresses(),
};
