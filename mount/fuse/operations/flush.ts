import type { Operation } from '../operation.ts';
import { InSize } from '../protocol.ts';

/** One for each close(2), and also before a shell's first WRITE: it says nothing about what the program wants. */
export const flush: Operation = {
  minimum: InSize.flush,
  room: () => 0,
  effect: false,
  serve: () => 0,
};
