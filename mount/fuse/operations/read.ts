import { openFileOf } from '../file-handle.ts';
import type { Operation } from '../operation.ts';
import { InSize } from '../protocol.ts';
import { transferBlocking } from '../transfer.ts';

/** The bytes go from the connection's buffer straight into the reply. */
export const read: Operation = {
  minimum: InSize.read,
  room: (request, limit) => Math.min(request.u32(16), limit),
  effect: true,
  handle: openFileOf,
  blocking: transferBlocking,
  serve(request, { tree, call, bytes, start, room }) {
    const target = bytes.subarray(start, start + room);
    return tree.read(openFileOf(request), request.u64(8), target, call);
  },
};
