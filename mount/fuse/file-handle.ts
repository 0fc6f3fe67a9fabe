import type { Request } from './request.ts';

/**
 * The number that the kernel has for an open file (`fh`): the tree's handle, and whether it is a stream in the lowest bit. It
 * means the same to the next engine.
 */
export function fileHandle(handle: number, stream: boolean): number {
  return handle * 2 + (stream ? 1 : 0);
}

export function handleOf(fileHandle: number): number {
  return Math.floor(fileHandle / 2);
}

/** The tree's number of the open file that a request is about: `fh`, which is the first field of READ, WRITE, POLL and RELEASE. */
export function openFileOf(request: Request): number {
  return handleOf(request.u64(0));
}

export function isStream(fileHandle: number): boolean {
  return fileHandle % 2 === 1;
}
