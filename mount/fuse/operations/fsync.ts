import type { Operation } from '../operation.ts';

/** FSYNC, FSYNCDIR and SYNCFS: a write that was answered is as durable as the mount makes anything. */
export const fsync: Operation = {
  minimum: 0,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
