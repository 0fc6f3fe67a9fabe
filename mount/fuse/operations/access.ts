import type { Operation } from '../operation.ts';

/** The kernel checks modes and owners itself, since the mount has default_permissions. */
export const access: Operation = {
  minimum: 0,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
