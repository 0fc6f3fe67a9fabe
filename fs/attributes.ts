/** The bits of st_mode that say what a node is (stat(2), inode(7)). */
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;

/** What stat(2) says of a node. */
export interface Attributes {
  readonly node: number;
  /** Permissions and S_IFDIR or S_IFREG. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly links: number;
  /** Milliseconds since the epoch; stands for all three times. */
  readonly time: number;
}

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly node: number;
  readonly type: typeof S_IFDIR | typeof S_IFREG;
  /** Where a listing goes on behind this entry; stays the same for as long as the entry exists. */
  readonly cookie: number;
}

/** As in sysfs: with size 0, `splice`, `sendfile` and some `cat`s would read nothing. */
export const TEXT_SIZE = 4096;

/**
 * More than any one write: the kernel lets writes to one inode run side by side (FOPEN_PARALLEL_DIRECT_WRITES) only
 * where they end before st_size (fuse_dio_wr_exclusive_lock in fs/fuse/file.c).
 */
export const STREAM_SIZE = 16 * 1024 * 1024;
