import { openFileOf } from '../file-handle.ts';
import type { Operation } from '../operation.ts';
import { InSize, OutSize, POLL_SCHEDULE_NOTIFY } from '../protocol.ts';

/**
 * struct fuse_poll_in: fh 0, kh 8, flags 16, events 20. Not journaled: asking twice does no harm. What is journaled is `kh`, since
 * an answered POLL is not delivered again, and its program would sleep for ever.
 */
export const poll: Operation = {
  minimum: InSize.poll,
  room: () => OutSize.poll,
  effect: false,
  handle: openFileOf,
  serve(request, { tree, polls, view, start }) {
    const handle = openFileOf(request);
    const ready = tree.poll(handle);
    if (request.u32(16) & POLL_SCHEDULE_NOTIFY) {
      const seen = { events: ready, news: tree.news(handle) };
      polls.arm(handle, request.u64(8), request.u32(20), tree.connectionOf(handle), seen);
    }
    view.setUint32(start, ready, true);
    view.setUint32(start + 4, 0, true);
    return OutSize.poll;
  },
};
