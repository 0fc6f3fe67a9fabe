import type { Commons } from '../../commons.ts';
import type { TextFile } from '../../file.ts';

/** Bytes of the largest packet. */
export const mtu: TextFile<Commons> = {
  name: 'mtu',
  stream: false,
  read: ({ sources }) => String(sources.mtu()),
};
