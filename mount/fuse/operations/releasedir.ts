import type { Operation } from '../operation.ts';
import { InSize } from '../protocol.ts';

/** A directory that is open holds nothing. */
export const releasedir: Operation = {
  minimum: InSize.release,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
