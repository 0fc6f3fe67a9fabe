import type { Opened } from '../../fs/tree.ts';
import { ErrnoError } from '../../tcp/errno.ts';

/**
 * The open files by the number that libfuse has for each. Those are numbers of 31 bits for fuse-native, and used again; the
 * tree's handles are neither.
 */
export class OpenFiles {
  readonly #files: (Opened | undefined)[] = [undefined];
  readonly #free: number[] = [];

  /** @returns its number, which is not 0 */
  add(opened: Opened): number {
    const number = this.#free.pop() ?? this.#files.length;
    this.#files[number] = opened;
    return number;
  }

  find(number: number): Opened | undefined {
    return this.#files[number];
  }

  delete(number: number): void {
    if (this.#files[number] === undefined) throw new ErrnoError('EBADF');
    this.#files[number] = undefined;
    this.#free.push(number);
  }
}
