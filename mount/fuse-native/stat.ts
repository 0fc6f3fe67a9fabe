import type { Attributes } from '../../fs/attributes.ts';

const BLOCK = 512;

/** st_blksize: what programs take as a good size for one read. */
const PREFERRED_SIZE = 65536;

/** What fuse-native makes a struct stat of. The number of the inode is libfuse's own: fuse-native has 32 bits for it. */
export function statOf({ mode, uid, gid, size, links, time }: Attributes) {
  return {
    ...{ mode, uid, gid, size, nlink: links },
    ...{ atime: time, mtime: time, ctime: time },
    blksize: PREFERRED_SIZE,
    blocks: Math.ceil(size / BLOCK),
  };
}
