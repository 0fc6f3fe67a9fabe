import { mkdirSync } from 'node:fs';

/**
 * Makes a directory that may be there already, and none above it: who misspells a path should hear of it. (A recursive
 * mkdirSync never returns where the kernel answers ENOENT to mkdir(2) itself, as in /proc.)
 * @throws NodeJS.ErrnoException
 */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
