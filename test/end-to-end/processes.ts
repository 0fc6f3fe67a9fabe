import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { until } from './condition.ts';

/** Numbers of system calls (asm/unistd_64.h; arm64: asm-generic/unistd.h, where libc's poll is ppoll). */
const SYSTEM_CALLS =
  process.arch === 'x64'
    ? { read: 0, write: 1, poll: 7, openat: 257 }
    : { read: 63, write: 64, poll: 73, openat: 56 };

/** Resolves when the process is blocked in `call`. */
export async function untilInside(pid: number, call: keyof typeof SYSTEM_CALLS): Promise<void> {
  // proc(5): the number of the call that a process is blocked in; "running" otherwise.
  await until(
    () => readFileSync(`/proc/${pid}/syscall`, 'utf8').split(' ')[0] === `${SYSTEM_CALLS[call]}`,
  );
}

/** Resolves when the process waits for the answer to a FUSE request (fs/fuse/dev.c). */
export async function untilAsking(pid: number): Promise<void> {
  await until(() => readFileSync(`/proc/${pid}/wchan`, 'utf8') === 'request_wait_answer');
}

/** Stops a process, and resolves when it does nothing any more. */
export async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until(() => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
}

/** Whether a process has ended, if only as a zombie. */
export function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** Whether a process has locked memory, as an engine has when its code is loaded. */
export function hasLockedMemory(pid: number): boolean {
  return /^VmLck:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** The ids of all processes in this pid namespace. */
export function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The ids of the processes that have `path` open. */
export function holders(path: string): number[] {
  return processes().filter((pid) => openFiles(pid).includes(path));
}

/** What a process has open; nothing if it has ended meanwhile. */
function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

/** The ids of a process' children. */
export function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
}
