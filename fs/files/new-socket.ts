import type { Commons } from '../commons.ts';
import type { TextFile } from '../file.ts';
import { socketPath } from '../socket-path.ts';
import { clone } from './clone.ts';

/** `clone` as Genode's socket file system has it: the open file first says where the new connection is. */
export function newSocketOf(cloneFile: TextFile<Commons>): TextFile<Commons> {
  return { ...cloneFile, name: 'new_socket', announcement: socketPath };
}

export const newSocket = newSocketOf(clone);
