import type { Attributes } from '../../../fs/attributes.ts';
import { ErrnoError } from '../../../tcp/errno.ts';
import { writeEntryOut } from '../attributes.ts';
import { writeDirent } from '../dirent.ts';
import type { Operation } from '../operation.ts';
import { InSize, OutSize } from '../protocol.ts';

/** As READDIR, with a struct fuse_entry_out before each entry. */
export const readdirplus: Operation = {
  minimum: InSize.read,
  room: (request, limit) => Math.min(request.u32(16), limit),
  effect: false,
  serve(request, { tree, call, bytes, view, start, room }) {
    const end = start + room;
    let offset = start;
    for (const entry of tree.readdir(request.node, request.u64(8))) {
      const size = writeDirent(bytes, view, offset + OutSize.entry, end, entry);
      if (size === 0) break;
      let attributes: Attributes | undefined;
      // For these two the kernel wants no node (fs/fuse/readdir.c, fuse_direntplus_link).
      if (entry.name !== '.' && entry.name !== '..') {
        try {
          attributes = tree.getattr(entry.node, call.now);
        } catch (error) {
          if (!(error instanceof ErrnoError)) throw error;
        }
      }
      if (attributes === undefined) bytes.fill(0, offset, offset + OutSize.entry);
      else writeEntryOut(bytes, view, offset, attributes, tree.validity(entry.node));
      offset += OutSize.entry + size;
    }
    return offset - start;
  },
};
