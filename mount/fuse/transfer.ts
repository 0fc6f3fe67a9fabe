import { isStream } from './file-handle.ts';
import type { Blocking } from './operation.ts';
import { O_APPEND, O_NONBLOCK, Opcode } from './protocol.ts';

/** How READ and WRITE wait. struct fuse_read_in and fuse_write_in have fh at 0, offset at 8, size at 16, flags at 32. */
export const transferBlocking: Blocking = {
  nonblocking(request) {
    if (request.u32(32) & O_NONBLOCK) return true;
    // A stream has no position, so an offset means that the kernel goes on with one read(2) or write(2) too large for one request
    // (fs/fuse/file.c, fuse_direct_io). What is there already is a good answer to it; waiting for more is not.
    // A write that appends, though, is always at the size that the kernel believes the stream to have.
    const isAppended = request.opcode === Opcode.WRITE && (request.u32(32) & O_APPEND) !== 0;
    return isStream(request.u64(0)) && !isAppended && request.u64(8) > 0;
  },
};
