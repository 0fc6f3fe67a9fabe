import type { StoredRecord } from '../../persist/record-store.ts';
import { Table } from '../../persist/table.ts';
import type { Stage } from '../stage.ts';
import { OutSize } from './protocol.ts';
import { getU64, setU64 } from './u64.ts';

/**
 * A record: the mount instance (u64), then for each answer the key of its request (u64), a length (u64) and so much of the
 * reply, header included, padded to eight bytes. The reply was longer if the header says so: what is missing are bytes that were read
 * and come again if the reply was not delivered.
 */
const INSTANCE_SIZE = 8;
const ENTRY_SIZE = 16;

const INITIAL_SIZE = 65536;

/**
 * What was answered to requests that had an effect, journaled together with the effect. If the engine dies before the kernel has
 * read the reply, the request comes again, and has the same answer instead of a second effect.
 *
 * All answers of a turn are one record. Its slot is used again once the replies of that turn have been written; the kernel then knows
 * the requests no more.
 */
export class Answers {
  readonly #instance: number;
  #bytes = new Uint8Array(INITIAL_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #used = INSTANCE_SIZE;
  /** Slots whose replies may not have been written yet, oldest turn first. */
  readonly #held: {
    readonly slot: number;
    readonly turn: number;
    readonly isReturnable: boolean;
  }[] = [];
  /** How many of those are returnable: asked for in every turn. */
  #returnableHeld = 0;
  /** Slots that have a record in the journal that nobody needs. */
  readonly #free: number[] = [];
  /** Slots without a record, of those below `#slots`. */
  readonly #empty: number[] = [];
  #slots = 0;
  /** Slots of the engine before, until its unanswered requests are answered. */
  readonly #restored: number[] = [];
  readonly #answers = new Map<number, Uint8Array>();
  /** Whether any of those may have to be taken back. */
  #isReturnable = false;
  /** The same of those that wait for `stage`. */
  #isNextReturnable = false;

  /** @param instance tells this mount from every other; the numbers of requests start again with each */
  constructor(instance: number) {
    this.#instance = instance;
  }

  /** Takes in what the engine before journaled. Answers of another mount are dropped. */
  restore(records: Iterable<StoredRecord>): void {
    for (const { index, value } of records) {
      this.#restored.push(index);
      this.#slots = Math.max(this.#slots, index + 1);
      const view = new DataView(value.buffer, value.byteOffset, value.length);
      if (value.length < INSTANCE_SIZE || getU64(view, 0) !== this.#instance) continue;
      let offset = INSTANCE_SIZE;
      while (offset + ENTRY_SIZE <= value.length) {
        const key = getU64(view, offset);
        const length = getU64(view, offset + 8);
        offset += ENTRY_SIZE;
        if (length < OutSize.header || offset + length > value.length) break;
        this.#answers.set(key, value.slice(offset, offset + length));
        if (view.getUint32(offset, true) > length) this.#isReturnable = true;
        offset += padded(length);
      }
    }
  }

  /** Whether there is a reply of which it is not known that it was delivered, and which was not kept whole: see `takeBack`. */
  get isTentative(): boolean {
    return this.#isReturnable || this.#isNextReturnable || this.#returnableHeld > 0;
  }

  /**
   * Says that the reply to the request `key` was not delivered. What of it was not kept, a READ at the end of its stream, is then to be
   * given back; the rest is the reply from now on, if there is any.
   * @returns how many bytes that is
   */
  takeBack(key: number): number {
    const reply = this.#answers.get(key);
    if (reply === undefined) return 0;
    const header = new DataView(reply.buffer, reply.byteOffset, OutSize.header);
    const missing = header.getUint32(0, true) - reply.length;
    if (missing <= 0) return 0;
    if (reply.length === OutSize.header) this.#answers.delete(key);
    else header.setUint32(0, reply.length, true);
    return missing;
  }

  /** The reply, header included, that an engine before this one made to the request `key`. */
  lookup(key: number): Uint8Array | undefined {
    return this.#answers.get(key);
  }

  /** Every request that was delivered again is answered: what was restored is needed no more. */
  settle(): void {
    this.#free.push(...this.#restored);
    this.#restored.length = 0;
    this.#answers.clear();
    this.#isReturnable = false;
  }

  /**
   * Keeps a reply until `stage`.
   * @param key of its request
   * @param bytes memory that has the reply, from `offset`, `length` bytes with its header
   * @param returnable how many bytes at its end need not be kept: see `takeBack`
   */
  record(key: number, bytes: Uint8Array, offset: number, length: number, returnable = 0): void {
    const kept = length - returnable;
    if (returnable > 0) this.#isNextReturnable = true;
    const end = this.#used + ENTRY_SIZE + padded(kept);
    if (end > this.#bytes.length) this.#grow(end);
    setU64(this.#view, this.#used, key);
    setU64(this.#view, this.#used + 8, kept);
    this.#bytes.set(bytes.subarray(offset, offset + kept), this.#used + ENTRY_SIZE);
    this.#used = end;
  }

  /**
   * Writes the answers since the last time, if there are any, as a record of the turn, and drops those that have become
   * useless. Dropping alone is no reason for a commit.
   */
  stage(journal: Stage): void {
    if (this.#used === INSTANCE_SIZE) return;
    setU64(this.#view, 0, this.#instance);
    const slot = this.#free.pop() ?? this.#empty.pop() ?? this.#slots++;
    journal.put(Table.answer, 0, slot, this.#bytes.subarray(0, this.#used));
    this.#held.push({ slot, turn: journal.turn, isReturnable: this.#isNextReturnable });
    if (this.#isNextReturnable) this.#returnableHeld += 1;
    this.#isNextReturnable = false;
    this.#used = INSTANCE_SIZE;
    for (const slot of this.#free) {
      journal.delete(Table.answer, 0, slot);
      this.#empty.push(slot);
    }
    this.#free.length = 0;
  }

  /** Says that all replies up to those of `turn` have been written. */
  released(turn: number): void {
    while (this.#held.length > 0 && this.#held[0]!.turn <= turn) {
      const { slot, isReturnable } = this.#held.shift()!;
      if (isReturnable) this.#returnableHeld -= 1;
      this.#free.push(slot);
    }
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(2 ** Math.ceil(Math.log2(size)));
    bytes.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
