import type { Operation } from '../operation.ts';
import { OutSize } from '../protocol.ts';

const NAME_MAX = 255;
const BLOCK = 4096;

/** As /proc answers: there are no blocks to count. */
export const statfs: Operation = {
  minimum: 0,
  room: () => OutSize.statfs,
  effect: false,
  serve(_request, { bytes, view, start }) {
    bytes.fill(0, start, start + OutSize.statfs);
    view.setUint32(start + 40, BLOCK, true);
    view.setUint32(start + 44, NAME_MAX, true);
    view.setUint32(start + 48, BLOCK, true);
    return OutSize.statfs;
  },
};
