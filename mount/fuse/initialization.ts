import { constants, openSync } from 'node:fs';
import { HostError } from '../host-error.ts';
import { MOUNT_TYPE } from '../mount-table.ts';
import { allocateResidentMemory } from '../resident-memory.ts';
import {
  MS_NODEV,
  MS_NOSUID,
  MS_RDONLY,
  mount,
  read,
  type SystemCallError,
  write,
} from '../system-calls.ts';
import type { Negotiated } from './negotiated.ts';
import {
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  FUSE_MIN_READ_BUFFER,
  Init,
  Init2,
  InSize,
  Opcode,
  OutSize,
} from './protocol.ts';

const PAGE = 4096;

/** The most that the kernel lets a server ask for unless its administrator raised it (sysctl fs.fuse.max_pages_limit). */
const MAX_PAGES = 256;

const MAX_WRITE = MAX_PAGES * PAGE;

/**
 * What we ask the kernel for.
 * - ATOMIC_O_TRUNC: O_TRUNC comes with OPEN, where it means nothing, and no SETATTR of the size is made for it.
 * - HANDLE_KILLPRIV_V2: there are no set-id bits to take off on a write, so the kernel need not look for them each time.
 * - Not ASYNC_DIO: it would have the parts of one large read in flight at the same time, which is no order for a stream.
 */
const WANTED =
  Init.ATOMIC_O_TRUNC |
  Init.BIG_WRITES |
  Init.DO_READDIRPLUS |
  Init.READDIRPLUS_AUTO |
  Init.PARALLEL_DIROPS |
  Init.MAX_PAGES |
  Init.HANDLE_KILLPRIV_V2 |
  Init.INIT_EXT;
const WANTED2 = Init2.HAS_RESEND;

/**
 * Opens /dev/fuse.
 * @returns a descriptor, non-blocking and close-on-exec
 * @throws HostError
 */
export function openFuse(): number {
  try {
    return openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') {
      throw new HostError('/dev/fuse is not there; run "modprobe fuse" as root');
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new HostError('/dev/fuse may not be opened by this user; run as root');
    }
    throw new HostError(`/dev/fuse cannot be opened: ${message}`);
  }
}

export interface MountFuseOptions {
  /** What the table of mounts shows as the source: the store's directory. */
  readonly source: string;
  /** Whether users other than the one who mounts may enter, as far as owners and permissions let them. */
  readonly allowOther: boolean;
  readonly readOnly?: boolean;
}

/**
 * Mounts the connection `descriptor` at `mountpoint`.
 * @throws HostError
 */
export function mountFuse(descriptor: number, mountpoint: string, options: MountFuseOptions): void {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const data = [
    `fd=${descriptor}`,
    'rootmode=40000',
    `user_id=${uid}`,
    `group_id=${gid}`,
    'default_permissions',
  ];
  if (options.allowOther) data.push('allow_other');
  const flags = MS_NOSUID | MS_NODEV | (options.readOnly ? MS_RDONLY : 0);
  try {
    mount(options.source, mountpoint, MOUNT_TYPE, flags, data.join(','));
  } catch (error) {
    switch ((error as SystemCallError).code) {
      case 'EPERM':
        throw new HostError(`no permission to mount at ${mountpoint}; run as root`);
      case 'ENOENT':
        throw new HostError(`the mountpoint ${mountpoint} is not there; make the directory first`);
      case 'ENOTDIR':
        throw new HostError(`the mountpoint ${mountpoint} is not a directory`);
      case 'EBUSY':
        throw new HostError(`the mountpoint ${mountpoint} is busy`);
      case 'ENODEV':
        throw new HostError('this kernel has no FUSE; run "modprobe fuse" as root');
      default:
        throw new HostError(`cannot mount at ${mountpoint}: ${(error as Error).message}`);
    }
  }
}

/**
 * Reads the INIT request, which the kernel has queued by the time mount(2) returns (fs/fuse/inode.c, fuse_send_init), and answers
 * it. To be done once for each mount.
 * @throws HostError when the kernel cannot do what Holdfast needs; the mount is of no use then
 */
export function negotiate(descriptor: number): Negotiated {
  const memory = allocateResidentMemory(FUSE_MIN_READ_BUFFER);
  const { view, address } = memory;
  const length = read(descriptor, address, memory.bytes.length);
  if (length < InSize.header + InSize.init || view.getUint32(4, true) !== Opcode.INIT) {
    throw new HostError(`the kernel did not begin with INIT (${length}); unmount and try again`);
  }
  const body = InSize.header;
  const major = view.getUint32(body, true);
  const kernelMinor = view.getUint32(body + 4, true);
  const maxReadahead = view.getUint32(body + 8, true);
  const flags = view.getUint32(body + 12, true);
  const extended = (flags & Init.INIT_EXT) !== 0 && length >= body + InSize.init + 4;
  const flags2 = extended ? view.getUint32(body + 16, true) : 0;
  if (major !== FUSE_KERNEL_VERSION || (flags2 & WANTED2) !== WANTED2) {
    throw new HostError(
      `this kernel speaks FUSE ${major}.${kernelMinor} and cannot deliver requests again to a new engine; Linux 6.9 or newer can, and --driver fuse-native does without`,
    );
  }
  const negotiated = {
    minor: Math.min(kernelMinor, FUSE_KERNEL_MINOR_VERSION),
    maxWrite: MAX_WRITE,
    maxPages: MAX_PAGES,
  };
  // struct fuse_init_out, after the header; `unique` is in its place already, as is the room for both.
  const total = OutSize.header + OutSize.init;
  memory.bytes.fill(0, OutSize.header, total);
  view.setUint32(0, total, true);
  view.setInt32(4, 0, true);
  view.setUint32(16, FUSE_KERNEL_VERSION, true);
  view.setUint32(20, negotiated.minor, true);
  view.setUint32(24, maxReadahead, true);
  view.setUint32(28, (flags & WANTED) >>> 0, true);
  view.setUint32(36, negotiated.maxWrite, true);
  view.setUint32(40, 1, true); // time_gran, nanoseconds
  view.setUint16(44, negotiated.maxPages, true);
  view.setUint32(48, WANTED2, true);
  const written = write(descriptor, address, total);
  if (written !== total) {
    throw new HostError(
      `the kernel refused the answer to INIT (${written}); unmount and try again`,
    );
  }
  return negotiated;
}
