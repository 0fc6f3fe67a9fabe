import { type Attempt, BLOCKED, type Call } from '../../fs/attempt.ts';
import { type Attributes, type DirectoryEntry, S_IFDIR, S_IFREG } from '../../fs/attributes.ts';
import type { Validity } from '../../fs/validity.ts';
import type { ServedTree } from '../../mount/fuse/operation.ts';
import { ErrnoError } from '../../tcp/errno.ts';

const ROOT = 1;
const QUEUE = 2;
const COUNTER = 3;
const DIAL = 4;
const HELLO = 5;
const FIRST_DIRECTORY = 16;

/** The ids of the connections that files wait for. */
export const QUEUE_CONNECTION = 7;
export const DIAL_CONNECTION = 8;

const POLLIN = 0x41;
const POLLOUT = 0x104;

/** The queue takes so many bytes. */
export const CAPACITY = 3 * 1024 * 1024;

const FILES: Record<string, number> = { queue: QUEUE, counter: COUNTER, dial: DIAL, hello: HELLO };

/** Everything in the toy tree that lasts, as JSON. */
export interface ToyState {
  /** The bytes in the queue, base64. */
  queue: string;
  counter: number;
  dials: number;
  answered: boolean;
  handles: [handle: number, node: number, text: string | null][];
  nextHandle: number;
  directories: [name: string, node: number][];
  made: number;
}

/**
 * A tree for testing the protocol with:
 * - `queue`: a stream; what is written to it can be read from it;
 * - `counter`: each open file that is read counts one up and says how far it is;
 * - `dial`: a write has an effect at once (it counts), and then blocks until `answerDial`;
 * - `hello`: text, `hello`;
 * - directories can be made and removed.
 */
export class ToyTree implements ServedTree {
  #queue: Buffer = Buffer.alloc(0);
  #counter = 0;
  #dials = 0;
  #answered = false;
  readonly #handles = new Map<number, { node: number; text: string | undefined }>();
  #nextHandle = 1;
  readonly #directories = new Map<string, number>();
  #made = 0;
  readonly changed = new Set<number>();
  /** How many attempts were made at reads and writes. */
  attempts = 0;

  get dials(): number {
    return this.#dials;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get openFiles(): number {
    return this.#handles.size;
  }

  save(): ToyState {
    return {
      queue: this.#queue.toString('base64'),
      counter: this.#counter,
      dials: this.#dials,
      answered: this.#answered,
      handles: [...this.#handles].map(([handle, { node, text }]) => [handle, node, text ?? null]),
      nextHandle: this.#nextHandle,
      directories: [...this.#directories],
      made: this.#made,
    };
  }

  load(state: ToyState): void {
    this.#queue = Buffer.from(state.queue, 'base64');
    this.#counter = state.counter;
    this.#dials = state.dials;
    this.#answered = state.answered;
    for (const [handle, node, text] of state.handles)
      this.#handles.set(handle, { node, text: text ?? undefined });
    this.#nextHandle = state.nextHandle;
    for (const [name, node] of state.directories) this.#directories.set(name, node);
    this.#made = state.made;
  }

  answerDial(): void {
    this.#answered = true;
    this.changed.add(DIAL_CONNECTION);
  }

  enqueue(bytes: Uint8Array): void {
    this.#queue = Buffer.concat([this.#queue, bytes]);
    this.changed.add(QUEUE_CONNECTION);
  }

  lookup(parent: number, name: string): Attributes {
    const node = FILES[name] ?? this.#directories.get(name);
    if (parent !== ROOT || node === undefined) throw new ErrnoError('ENOENT');
    return this.getattr(node);
  }

  getattr(node: number): Attributes {
    const directory = node === ROOT || [...this.#directories.values()].includes(node);
    if (!directory && !Object.values(FILES).includes(node)) throw new ErrnoError('ESTALE');
    return {
      node,
      mode: directory ? S_IFDIR | 0o755 : S_IFREG | 0o666,
      uid: 0,
      gid: 0,
      size: node === QUEUE ? 16 * 1024 * 1024 : 4096,
      links: 1,
      time: 1_700_000_000_000,
    };
  }

  validity(): Validity {
    return { name: 0, attributes: 0 };
  }

  setattr(node: number): Attributes {
    return this.getattr(node);
  }

  *readdir(_node: number, cookie: number): Iterable<DirectoryEntry> {
    const entries = [
      ...Object.entries(FILES).map(([name, node]) => ({ name, node, type: S_IFREG, cookie: node })),
      ...[...this.#directories].map(([name, node]) => ({
        name,
        node,
        type: S_IFDIR,
        cookie: node,
      })),
    ];
    for (const entry of entries) if (entry.cookie > cookie) yield entry as DirectoryEntry;
  }

  create(): never {
    throw new ErrnoError('EACCES');
  }

  mkdir(_parent: number, name: string): Attributes {
    if (this.#directories.has(name)) throw new ErrnoError('EEXIST');
    const node = FIRST_DIRECTORY + this.#made;
    this.#made += 1;
    this.#directories.set(name, node);
    return this.getattr(node);
  }

  rmdir(_parent: number, name: string): void {
    if (!this.#directories.delete(name)) throw new ErrnoError('ENOENT');
  }

  open(node: number): { handle: number; stream: boolean; directory: boolean } {
    const directory = (this.getattr(node).mode & S_IFDIR) !== 0;
    if (directory) return { handle: 0, stream: false, directory };
    const handle = this.#nextHandle;
    this.#nextHandle += 1;
    this.#handles.set(handle, { node, text: undefined });
    return { handle, stream: node === QUEUE, directory };
  }

  takeBack(): void {}

  read(handle: number, offset: number, target: Uint8Array): Attempt<number> {
    this.attempts += 1;
    const file = this.#file(handle);
    if (file.node === QUEUE) {
      const taken = this.#queue.subarray(0, target.length);
      if (taken.length === 0) return BLOCKED;
      target.set(taken);
      this.#queue = this.#queue.subarray(taken.length);
      this.changed.add(QUEUE_CONNECTION);
      return taken.length;
    }
    if (file.text === undefined && file.node === COUNTER) {
      this.#counter += 1;
      file.text = `${this.#counter}\n`;
    }
    file.text ??= 'hello\n';
    const text = Buffer.from(file.text).subarray(offset, offset + target.length);
    target.set(text);
    return text.length;
  }

  write(handle: number, _offset: number, source: Uint8Array, call: Call): Attempt<number> {
    this.attempts += 1;
    const file = this.#file(handle);
    if (file.node === DIAL) {
      if (call.note === 0) {
        this.#dials += 1;
        call.note = this.#dials;
      }
      return this.#answered ? source.length : BLOCKED;
    }
    if (file.node !== QUEUE) throw new ErrnoError('EINVAL');
    const taken = source.subarray(0, CAPACITY - this.#queue.length);
    if (taken.length === 0) return BLOCKED;
    this.enqueue(taken);
    return taken.length;
  }

  release(handle: number): void {
    this.#handles.delete(handle);
  }

  poll(handle: number): number {
    if (this.#file(handle).node !== QUEUE) return POLLIN | POLLOUT;
    return (this.#queue.length > 0 ? POLLIN : 0) | (this.#queue.length < CAPACITY ? POLLOUT : 0);
  }

  settle(): void {}

  news(): undefined {}

  connectionOf(handle: number): number {
    const node = this.#handles.get(handle)?.node;
    if (node === undefined) return 0;
    return node === DIAL ? DIAL_CONNECTION : QUEUE_CONNECTION;
  }

  takeOutdated(): readonly number[] {
    return [];
  }

  openWaitsOn(): number {
    return 0;
  }

  #file(handle: number): { node: number; text: string | undefined } {
    const file = this.#handles.get(handle);
    if (file === undefined) throw new ErrnoError('EBADF');
    return file;
  }
}
