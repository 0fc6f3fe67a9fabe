import type { Operation } from '../operation.ts';

/** The kernel drops a node. Node ids are computed, not counted, so there is nothing to drop here. */
export const forget: Operation = {
  minimum: 0,
  silent: true,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
