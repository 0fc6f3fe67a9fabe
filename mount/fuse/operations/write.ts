import { BLOCKED } from '../../../fs/attempt.ts';
import { ErrnoError } from '../../../tcp/errno.ts';
import { openFileOf } from '../file-handle.ts';
import type { Operation } from '../operation.ts';
import { InSize, OutSize } from '../protocol.ts';
import { transferBlocking } from '../transfer.ts';

/** The bytes go from the request straight into the connection's buffer. */
export const write: Operation = {
  minimum: InSize.write,
  room: () => OutSize.write,
  effect: true,
  handle: openFileOf,
  blocking: transferBlocking,
  serve(request, { tree, call, view, start }) {
    const size = request.u32(16);
    const data = request.body + InSize.write;
    if (data + size > request.end) throw new ErrnoError('EINVAL');
    const source = request.bytes.subarray(data, data + size);
    const written = tree.write(openFileOf(request), request.u64(8), source, call);
    if (written === BLOCKED) return BLOCKED;
    view.setUint32(start, written, true);
    view.setUint32(start + 4, 0, true);
    return OutSize.write;
  },
};
