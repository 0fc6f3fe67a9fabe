import type { Operation } from '../operation.ts';

/** The mount ends. The device says so as well, with ENODEV, and that is what the session goes by. */
export const destroy: Operation = {
  minimum: 0,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
