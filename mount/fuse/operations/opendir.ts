import type { Operation } from '../operation.ts';
import { InSize, OutSize } from '../protocol.ts';
import { serveOpen } from './open.ts';

/** A directory that is open holds nothing, so opening it twice is no second effect. */
export const opendir: Operation = {
  minimum: InSize.open,
  room: () => OutSize.open,
  effect: false,
  serve: serveOpen,
};
