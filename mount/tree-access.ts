import { type FileHandle, open, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOCKED } from '../fs/attempt.ts';
import { ROOT } from '../fs/node-id.ts';
import { ErrnoError, type ErrnoName, errnoName } from '../tcp/errno.ts';
import { type Addresses, ClosedStore } from './closed-store.ts';
import { crashPoint } from './crash-point.ts';
import { findMount } from './mount-table.ts';
import { statusValue, treeStatus } from './tree-status.ts';

/**
 * The tree of a mount, or of a store that nobody mounts. Paths are those in it. What goes wrong is an `ErrnoError`, or a
 * `HostError` when there is no such tree.
 */
export interface TreeAccess {
  read(path: string): Promise<Buffer>;
  write(path: string, text: string): Promise<void>;
  /** Writes a question, and gives the answer without its newline. */
  ask(path: string, question: Uint8Array): Promise<string>;
  removeDirectory(path: string): Promise<void>;
  /** What was done is durable. */
  close(): Promise<void>;
}

/**
 * @param path absolute
 * @param addresses of a store that nobody mounts
 */
export async function accessTree(path: string, addresses: Addresses): Promise<TreeAccess> {
  if (findMount(path) !== undefined) return new MountedTree(path);
  return new ClosedTree(await ClosedStore.open(path, addresses));
}

/** How much is written at a time, bytes: as much as the kernel passes on at once. */
const PIECE = 1 << 20;
/** How often a question is asked again because the engine died that had heard its beginning. */
const MOST_QUESTIONS = 10;
/** More than any answer. */
const LONGEST_ANSWER = 4096;

class MountedTree implements TreeAccess {
  readonly #mountpoint: string;

  constructor(mountpoint: string) {
    this.#mountpoint = mountpoint;
  }

  read(path: string): Promise<Buffer> {
    return asErrnoError(readToEnd(join(this.#mountpoint, path)));
  }

  write(path: string, text: string): Promise<void> {
    return asErrnoError(writeFile(join(this.#mountpoint, path), text));
  }

  removeDirectory(path: string): Promise<void> {
    return asErrnoError(rmdir(join(this.#mountpoint, path)));
  }

  async ask(path: string, question: Uint8Array): Promise<string> {
    for (let asked = 1; ; asked++) {
      const epoch = await this.#epoch();
      try {
        return await this.#askOnce(path, question);
      } catch (error) {
        const isLost = error instanceof ErrnoError && error.errno === 'EINVAL';
        if (!isLost || asked === MOST_QUESTIONS || (await this.#epoch()) === epoch) throw error;
      }
    }
  }

  async close(): Promise<void> {}

  async #epoch(): Promise<string | undefined> {
    return statusValue(await treeStatus(this.#mountpoint), 'epoch');
  }

  async #askOnce(path: string, question: Uint8Array): Promise<string> {
    const file = await asErrnoError(open(join(this.#mountpoint, path), 'r+'));
    try {
      for (let at = 0; at < question.length; ) {
        const { bytesWritten } = await file.write(
          question,
          at,
          Math.min(PIECE, question.length - at),
        );
        at += bytesWritten;
        crashPoint('amid-import');
      }
      return await answerOf(file);
    } catch (error) {
      const [, reason] = /^\S+ (.*)$/.exec(await answerOf(file).catch(() => '')) ?? [];
      throw new ErrnoError(errnoOf(error), reason);
    } finally {
      await file.close();
    }
  }
}

/** Whatever stat(2) says of its size: the files of the tree have none that means something, and `readFile` believes it. */
async function readToEnd(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const pieces: Buffer[] = [];
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(PIECE), 0, PIECE);
      if (bytesRead === 0) return Buffer.concat(pieces);
      pieces.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function answerOf(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_ANSWER), 0, LONGEST_ANSWER);
  return buffer.toString('utf8', 0, bytesRead).trimEnd();
}

async function asErrnoError<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw new ErrnoError(errnoOf(error));
  }
}

/** By its number, because Node has names of its own. */
function errnoOf(error: unknown): ErrnoName {
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) throw error;
  return errnoName(-errno) ?? 'EIO';
}

const O_RDWR = 2;
const O_RDONLY = 0;
const O_WRONLY = 1;

class ClosedTree implements TreeAccess {
  readonly #store: ClosedStore;

  constructor(store: ClosedStore) {
    this.#store = store;
  }

  async read(path: string): Promise<Buffer> {
    return this.#with(path, O_RDONLY, (handle) => this.#readFrom(handle));
  }

  async write(path: string, text: string): Promise<void> {
    this.#with(path, O_WRONLY, (handle) => this.#writeTo(handle, Buffer.from(text)));
  }

  async ask(path: string, question: Uint8Array): Promise<string> {
    return this.#with(path, O_RDWR, (handle) => {
      this.#writeTo(handle, question);
      const answer = Buffer.alloc(LONGEST_ANSWER);
      const count = this.#store.tree.read(handle, 0, answer, this.#store.call);
      return answer.toString('utf8', 0, demand(count)).trimEnd();
    });
  }

  async removeDirectory(path: string): Promise<void> {
    const names = path.split('/');
    const name = names.pop()!;
    this.#store.tree.rmdir(this.#nodeOf(names), name, this.#store.call);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #readFrom(handle: number): Buffer {
    const pieces: Buffer[] = [];
    for (let offset = 0; ; offset += pieces.at(-1)!.length) {
      const piece = Buffer.alloc(PIECE);
      const count = demand(this.#store.tree.read(handle, offset, piece, this.#store.call));
      if (count === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, count));
    }
  }

  #writeTo(handle: number, bytes: Uint8Array): void {
    demand(this.#store.tree.write(handle, 0, bytes, this.#store.call));
  }

  #with<Result>(path: string, flags: number, act: (handle: number) => Result): Result {
    const { tree, call } = this.#store;
    const { handle } = demand(tree.open(this.#nodeOf(path.split('/')), flags, call));
    try {
      return act(handle);
    } finally {
      tree.release(handle, call.now);
    }
  }

  #nodeOf(names: readonly string[]): number {
    const { tree, call } = this.#store;
    return names.reduce((parent, name) => tree.lookup(parent, name, call.now).node, ROOT);
  }
}

/** What would have to wait for the network will not come. */
function demand<Result>(result: Result | typeof BLOCKED): Result {
  if (result === BLOCKED) throw new ErrnoError('EAGAIN');
  return result;
}
