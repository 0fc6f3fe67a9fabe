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

export function isStream(fileHandle: number): boolean {
  return fileHandle % 2 === 1;
}
