import type { Operation } from '../operation.ts';
import { InSize, OutSize } from '../protocol.ts';
import { serveOpen } from './open.ts';

export const opendir: Operation = {
  minimum: InSize.open,
  room: () => OutSize.open,
  effect: true,
  serve: serveOpen,
};
