import { allocateResidentMemory, type ResidentMemory } from '../resident-memory.ts';
import { read } from '../system-calls.ts';
import { HEADER_ROOM } from './protocol.ts';

/** How many of the largest requests fit at the same time. Small ones share what a large one would take. */
const LARGEST_REQUESTS = 4;

/** Where requests are read to, one behind the other, until all of them are served. */
export class Inbox {
  readonly #memory: ResidentMemory;
  /** Room that the kernel wants for each read, whatever comes. */
  readonly #requestRoom: number;
  #used = 0;

  /** @param maxWrite bytes of the largest WRITE */
  constructor(maxWrite: number) {
    this.#requestRoom = maxWrite + HEADER_ROOM;
    this.#memory = allocateResidentMemory(LARGEST_REQUESTS * this.#requestRoom);
  }

  get bytes(): Uint8Array {
    return this.#memory.bytes;
  }

  get view(): DataView {
    return this.#memory.view;
  }

  /** Where the next request will begin. */
  get start(): number {
    return this.#used;
  }

  get full(): boolean {
    return this.#memory.bytes.length - this.#used < this.#requestRoom;
  }

  /**
   * Reads one request to `start`.
   * @returns its length, or the errno, negative
   */
  read(descriptor: number): number {
    const { address, bytes } = this.#memory;
    return read(descriptor, address + this.#used, bytes.length - this.#used);
  }

  /** Keeps the `length` bytes just read; the next request comes behind them. */
  advance(length: number): void {
    this.#used += Math.ceil(length / 8) * 8;
  }

  /** Nothing in it is needed any more. */
  clear(): void {
    this.#used = 0;
  }
}
