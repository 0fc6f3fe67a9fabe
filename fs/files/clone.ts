import type { Commons } from '../commons.ts';
import type { AnyConnections } from '../connections.ts';
import type { TextFile } from '../file.ts';
import { CONNECTION_MODE } from '../owner.ts';

/**
 * Opening it makes a connection that is named by its number; the open file then is its `ctl` (Plan 9, ip(3)).
 * @param of whose number it is the next of
 */
export function cloneOf(of: (commons: Commons) => AnyConnections): TextFile<Commons> {
  return {
    name: 'clone',
    stream: false,
    clone: (commons, { uid, gid }) => of(commons).create({ uid, gid, mode: CONNECTION_MODE }),
  };
}

export const clone = cloneOf(({ connections }) => connections);
