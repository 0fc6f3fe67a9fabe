/**
 * The numbers of the FUSE kernel protocol, version 7, as in the kernel's include/uapi/linux/fuse.h. Everything is
 * little-endian here: the protocol has the host's byte order, and the hosts Node runs on are little-endian.
 */

export const FUSE_KERNEL_VERSION = 7;
/**
 * The newest minor version this code knows: FUSE_NOTIFY_RESEND came with 7.40. Both sides use the lesser minor
 * version of the two.
 */
export const FUSE_KERNEL_MINOR_VERSION = 40;

export const FUSE_ROOT_ID = 1;

/** enum fuse_opcode. */
export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const;

/** enum fuse_notify_code: what an unsolicited message (`unique` 0) has in the place of the error. */
export const Notification = {
  POLL: 1,
  INVAL_INODE: 2,
  RESEND: 7,
} as const;

/** Bit 63 of `unique`, in its upper half: FUSE_UNIQUE_RESEND, the request is delivered again. */
export const UNIQUE_RESEND = 0x8000_0000;

/** Flags of the INIT request and reply, bits 0 to 31. */
export const Init = {
  ATOMIC_O_TRUNC: 1 << 3,
  BIG_WRITES: 1 << 5,
  DO_READDIRPLUS: 1 << 13,
  READDIRPLUS_AUTO: 1 << 14,
  PARALLEL_DIROPS: 1 << 18,
  MAX_PAGES: 1 << 22,
  HANDLE_KILLPRIV_V2: 1 << 28,
  INIT_EXT: 1 << 30,
} as const;

/** Flags of the INIT request and reply, bits 32 to 63, moved down by 32. */
export const Init2 = {
  HAS_RESEND: 1 << (39 - 32),
} as const;

/** fuse_open_out.open_flags. */
export const Fopen = {
  DIRECT_IO: 1 << 0,
  NONSEEKABLE: 1 << 2,
  STREAM: 1 << 4,
  NOFLUSH: 1 << 5,
  PARALLEL_DIRECT_WRITES: 1 << 6,
} as const;

/** fuse_setattr_in.valid. */
export const Fattr = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
} as const;

/** fuse_poll_in.flags. */
export const POLL_SCHEDULE_NOTIFY = 1 << 0;

/** sizeof of the structures that requests begin with, after the header. */
export const InSize = {
  header: 40,
  forget: 8,
  getattr: 16,
  setattr: 88,
  mkdir: 8,
  open: 8,
  read: 40,
  write: 40,
  release: 24,
  flush: 24,
  init: 16,
  interrupt: 8,
  poll: 24,
} as const;

/** sizeof of the structures that replies are made of. */
export const OutSize = {
  header: 16,
  attributes: 88,
  attr: 104,
  entry: 128,
  open: 16,
  write: 8,
  statfs: 80,
  init: 64,
  poll: 8,
  notifyPoll: 8,
  notifyInvalInode: 24,
  dirent: 24,
} as const;

/** The kernel wants room for the largest WRITE and 4096 bytes of fixed parts in each read of the device (fuse_dev_do_read). */
export const HEADER_ROOM = 4096;

/** The least room for any read of the device. */
export const FUSE_MIN_READ_BUFFER = 8192;

/** Flags of open(2) as requests carry them, from asm-generic/fcntl.h. */
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
