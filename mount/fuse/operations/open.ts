import { type Attempt, BLOCKED } from '../../../fs/attempt.ts';
import { fileHandle } from '../file-handle.ts';
import type { Operation, Service } from '../operation.ts';
import { Fopen, InSize, O_NONBLOCK, OutSize } from '../protocol.ts';
import type { Request } from '../request.ts';
import { setU64 } from '../u64.ts';

/**
 * No file here has anything to cache, so every read(2) and write(2) comes to us: DIRECT_IO. A stream also has no position:
 * without STREAM a read and a write on one descriptor deadlock on the lock of its position, and without NONSEEKABLE a shell's
 * `read` loses the bytes that it seeks back over. PARALLEL_DIRECT_WRITES keeps a blocked WRITE from holding the inode's lock.
 * NOFLUSH: a close(2) has nothing to wait for.
 */
const TEXT = Fopen.DIRECT_IO | Fopen.PARALLEL_DIRECT_WRITES | Fopen.NOFLUSH;
const STREAM = TEXT | Fopen.NONSEEKABLE | Fopen.STREAM;

/** OPEN and OPENDIR: struct fuse_open_in to struct fuse_open_out. */
export function serveOpen(request: Request, service: Service): Attempt<number> {
  const { tree, call, view, start } = service;
  const opened = tree.open(request.node, request.u32(0), call);
  if (opened === BLOCKED) return BLOCKED;
  setU64(view, start, fileHandle(opened.handle, opened.stream));
  view.setUint32(start + 8, opened.directory ? 0 : opened.stream ? STREAM : TEXT, true);
  view.setUint32(start + 12, 0, true);
  return OutSize.open;
}

export const open: Operation = {
  minimum: InSize.open,
  room: () => OutSize.open,
  effect: true,
  blocking: {
    nonblocking: (request) => (request.u32(0) & O_NONBLOCK) !== 0,
    // The note is the handle that it was to have. Only the open file would have been a way to what that stands for.
    abandon: ({ note }, { tree, call }) => tree.release(note, call.now),
  },
  serve: serveOpen,
};
