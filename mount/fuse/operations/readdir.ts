import { writeDirent } from '../dirent.ts';
import type { Operation } from '../operation.ts';
import { InSize } from '../protocol.ts';

/** struct fuse_read_in, where offset 8 is the cookie of the last entry that was taken, and 0 the beginning. */
export const readdir: Operation = {
  minimum: InSize.read,
  room: (request, limit) => Math.min(request.u32(16), limit),
  effect: false,
  serve(request, { tree, bytes, view, start, room }) {
    const end = start + room;
    let offset = start;
    for (const entry of tree.readdir(request.node, request.u64(8))) {
      const size = writeDirent(bytes, view, offset, end, entry);
      if (size === 0) break;
      offset += size;
    }
    return offset - start;
  },
};
