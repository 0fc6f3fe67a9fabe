import { ErrnoError } from '../../../tcp/errno.ts';
import { writeEntryOut } from '../attributes.ts';
import type { Operation } from '../operation.ts';
import { OutSize } from '../protocol.ts';

export const lookup: Operation = {
  minimum: 1,
  room: () => OutSize.entry,
  effect: false,
  serve(request, { tree, call, bytes, view, start }) {
    let name: string;
    try {
      name = request.name(0);
    } catch {
      // No file has a name that is not UTF-8.
      throw new ErrnoError('ENOENT');
    }
    const found = tree.lookup(request.node, name, call.now);
    return writeEntryOut(bytes, view, start, found, tree.validity(found.node));
  },
};
