import { writeEntryOut } from '../attributes.ts';
import type { Operation } from '../operation.ts';
import { InSize, OutSize } from '../protocol.ts';

export const mkdir: Operation = {
  minimum: InSize.mkdir + 1,
  room: () => OutSize.entry,
  effect: true,
  serve(request, { tree, call, bytes, view, start }) {
    // The kernel has applied the umask, since FUSE_DONT_MASK is not negotiated.
    const mode = request.u32(0);
    const name = request.name(InSize.mkdir);
    const made = tree.mkdir(request.node, name, mode, call);
    return writeEntryOut(bytes, view, start, made, tree.validity(made.node));
  },
};
