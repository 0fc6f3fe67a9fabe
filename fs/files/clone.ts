import type { Commons } from '../commons.ts';
import type { TextFile } from '../file.ts';
import { CONNECTION_MODE } from '../owner.ts';

/** Opening it makes a connection that is named by its number; the open file then is its `ctl` (Plan 9, ip(3)). */
export const clone: TextFile<Commons> = {
  name: 'clone',
  stream: false,
  clone: ({ connections }, { uid, gid }) => connections.create({ uid, gid, mode: CONNECTION_MODE }),
};
