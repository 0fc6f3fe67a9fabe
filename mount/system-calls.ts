import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

/**
 * The system calls that Node has no function for, one function each, through koffi.
 *
 * Memory is passed as an address, a plain number: measured with koffi 3.3 a call costs 0.19 us with a number, a
 * bigint or a whole Buffer alike, and 0.27 us with a subarray made for it. User addresses are below 2^47, so a
 * number holds them exactly.
 */

const libc = koffi.load('libc.so.6');

/** A system call that failed. `code` is the errno's name, as in Node's own errors. */
export class SystemCallError extends Error {
  override name = 'SystemCallError';
  readonly code: string;
  /** The errno, positive. */
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${syscall}: ${code}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

function checked(syscall: string, result: number): number {
  if (result < 0) throw new SystemCallError(syscall, koffi.errno());
  return result;
}

const libcRead = libc.func('read', 'long', ['int', 'uintptr_t', 'size_t']);
const libcWrite = libc.func('write', 'long', ['int', 'uintptr_t', 'size_t']);

/**
 * read(2). Never throws and allocates nothing.
 * @param address where the bytes go
 * @returns how many bytes were read, or the errno, negative
 */
export function read(descriptor: number, address: number, length: number): number {
  const result: number = libcRead(descriptor, address, length);
  return result < 0 ? -koffi.errno() : result;
}

/**
 * write(2). Never throws and allocates nothing.
 * @param address where the bytes are
 * @returns how many bytes were written, or the errno, negative
 */
export function write(descriptor: number, address: number, length: number): number {
  const result: number = libcWrite(descriptor, address, length);
  return result < 0 ? -koffi.errno() : result;
}

const libcMmap = libc.func('mmap', 'intptr_t', [
  'uintptr_t',
  'size_t',
  'int',
  'int',
  'int',
  'int64_t',
]);
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_POPULATE = 0x8000;

/**
 * mmap(2) of anonymous private memory, every page of it populated.
 * @returns its address
 * @throws SystemCallError
 */
export function mapPopulated(length: number): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
  return checked('mmap', Number(libcMmap(0, length, PROT_READ | PROT_WRITE, flags, -1, 0)));
}

const libcMlock = libc.func('mlock', 'int', ['uintptr_t', 'size_t']);

/**
 * mlock(2).
 * @throws SystemCallError, ENOMEM or EPERM where RLIMIT_MEMLOCK does not allow it
 */
export function mlock(address: number, length: number): void {
  checked('mlock', libcMlock(address, length));
}

const libcMount = libc.func('mount', 'int', ['str', 'str', 'str', 'ulong', 'str']);

/** Flags of mount(2), from sys/mount.h. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;

/**
 * mount(2).
 * @throws SystemCallError
 */
export function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): void {
  checked('mount', libcMount(source, target, type, flags, data));
}

const libcUmount2 = libc.func('umount2', 'int', ['str', 'int']);

/** Flags of umount2(2), from sys/mount.h. */
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

/**
 * umount2(2).
 * @throws SystemCallError
 */
export function umount2(target: string, flags: number): void {
  checked('umount2', libcUmount2(target, flags));
}

const ioctlWithPointer = libc.func('int ioctl(int descriptor, ulong request, void *argument)');
const ioctlWithValue = libc.func('ioctl', 'int', ['int', 'ulong', 'ulong']);

/**
 * ioctl(2) with a structure that the kernel reads or fills, or with a plain value.
 * @throws SystemCallError
 */
export function ioctl(descriptor: number, request: number, argument: Uint8Array | number): number {
  const call = typeof argument === 'number' ? ioctlWithValue : ioctlWithPointer;
  return checked('ioctl', call(descriptor, request, argument));
}

const libcFcntl = libc.func('fcntl', 'int', ['int', 'int', 'long']);

/** Commands and flags of fcntl(2), from fcntl.h. */
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const FD_CLOEXEC = 1;

/**
 * fcntl(2).
 * @throws SystemCallError
 */
export function fcntl(descriptor: number, command: number, argument = 0): number {
  return checked('fcntl', libcFcntl(descriptor, command, argument));
}

/** Keeps `descriptor` out of every program that this process starts without handing it over on purpose. */
export function closeOnExec(descriptor: number): void {
  fcntl(descriptor, F_SETFD, fcntl(descriptor, F_GETFD) | FD_CLOEXEC);
}

const libcFlock = libc.func('flock', 'int', ['int', 'int']);
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * flock(2), exclusive, without waiting.
 * @returns whether the lock was had; false: another open file has it
 * @throws SystemCallError
 */
export function tryLock(descriptor: number): boolean {
  if (libcFlock(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = koffi.errno();
  if (errno === constants.errno.EWOULDBLOCK) return false;
  throw new SystemCallError('flock', errno);
}

const libcSyscall = libc.func('syscall', 'long', ['long', 'long', 'long']);
/** The number is the same on every architecture (asm-generic/unistd.h; also x86). */
const SYS_pidfd_open = 434;

/**
 * pidfd_open(2).
 * @returns a descriptor, close-on-exec, that becomes readable when the process ends; undefined when there is none of that id
 * @throws SystemCallError
 */
export function openPidfd(pid: number): number | undefined {
  const descriptor: number = libcSyscall(SYS_pidfd_open, pid, 0);
  if (descriptor >= 0) return descriptor;
  const errno = koffi.errno();
  if (errno === constants.errno.ESRCH) return undefined;
  throw new SystemCallError('pidfd_open', errno);
}

/** Resolves when `descriptor` can be read; poll(2) in Node's own loop. */
export function pollDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve) => {
    const poll = koffi.node.poll(descriptor, { readable: true }, () => {
      poll.close();
      resolve();
    });
  });
}
