import { openFileOf } from '../file-handle.ts';
import type { Operation } from '../operation.ts';
import { InSize } from '../protocol.ts';

/** The last close of an open file: struct fuse_release_in, fh 0. */
export const release: Operation = {
  minimum: InSize.release,
  room: () => 0,
  effect: true,
  handle: openFileOf,
  serve(request, { tree, polls, call }) {
    const handle = openFileOf(request);
    polls.forget(handle);
    tree.release(handle, call.now);
    return 0;
  },
};
