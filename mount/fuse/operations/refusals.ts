import { ErrnoError, type ErrnoName } from '../../../tcp/errno.ts';
import type { Operation } from '../operation.ts';
import { Opcode } from '../protocol.ts';

/**
 * What this tree does not do, and the errno that a file system of the kernel's own would give for it. ENOSYS is avoided: the
 * kernel remembers it for the whole mount, for some opcodes with another meaning than "no".
 */
const REFUSALS: readonly (readonly [opcode: number, errno: ErrnoName])[] = [
  // readlink(2) of what is no link.
  [Opcode.READLINK, 'EINVAL'],
  // What fs/namei.c gives where a directory has no such operation, as in sysfs.
  [Opcode.MKNOD, 'EPERM'],
  [Opcode.SYMLINK, 'EPERM'],
  [Opcode.LINK, 'EPERM'],
  [Opcode.UNLINK, 'EPERM'],
  [Opcode.RENAME, 'EPERM'],
  [Opcode.RENAME2, 'EPERM'],
  // vfs_tmpfile in fs/namei.c.
  [Opcode.TMPFILE, 'EOPNOTSUPP'],
  // The value ls(1) and cp(1) take as "there are none", xattr(7).
  [Opcode.SETXATTR, 'EOPNOTSUPP'],
  [Opcode.GETXATTR, 'EOPNOTSUPP'],
  [Opcode.LISTXATTR, 'EOPNOTSUPP'],
  [Opcode.REMOVEXATTR, 'EOPNOTSUPP'],
  // Locks are the kernel's own here: FUSE_POSIX_LOCKS and FUSE_FLOCK_LOCKS are not negotiated, so these never come.
  [Opcode.GETLK, 'EOPNOTSUPP'],
  [Opcode.SETLK, 'EOPNOTSUPP'],
  [Opcode.SETLKW, 'EOPNOTSUPP'],
  // FIBMAP of what has no blocks.
  [Opcode.BMAP, 'EINVAL'],
  // isatty(3) and many others take it as "no".
  [Opcode.IOCTL, 'ENOTTY'],
  // What vfs_fallocate in fs/open.c says of a socket. After EOPNOTSUPP, posix_fallocate(3) would write zeros itself.
  [Opcode.FALLOCATE, 'ENODEV'],
  // SEEK_DATA and SEEK_HOLE, which are unknown to /proc files too; the other three are the kernel's own (fs/fuse/file.c, fuse_file_llseek).
  [Opcode.LSEEK, 'EINVAL'],
  // The kernel then copies with read and write (fs/fuse/file.c, fuse_copy_file_range).
  [Opcode.COPY_FILE_RANGE, 'EOPNOTSUPP'],
  [Opcode.COPY_FILE_RANGE_64, 'EOPNOTSUPP'],
  // Of virtiofs alone.
  [Opcode.SETUPMAPPING, 'EOPNOTSUPP'],
  [Opcode.REMOVEMAPPING, 'EOPNOTSUPP'],
  // It would add the time of birth to GETATTR. Only ENOSYS makes the kernel ask GETATTR instead, and then for good (fs/fuse/dir.c,
  // fuse_update_get_attr).
  [Opcode.STATX, 'ENOSYS'],
];

/** An operation that answers `errno` and does nothing. */
export function refusal(errno: ErrnoName): Operation {
  const error = new ErrnoError(errno);
  return {
    minimum: 0,
    room: () => 0,
    effect: false,
    serve() {
      throw error;
    },
  };
}

export const refusals: ReadonlyMap<number, Operation> = new Map(
  REFUSALS.map(([opcode, errno]) => [opcode, refusal(errno)]),
);
