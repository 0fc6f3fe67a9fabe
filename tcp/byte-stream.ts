import { assert } from './assert.ts';
import { Memory, type MemoryUse } from './memory.ts';
import { spareRing, takeRing } from './spare-rings.ts';

const NOTHING = new Uint8Array(0);
const SMALLEST_RING = 1024;

/**
 * Bytes addressed by stream offset: exact integers below 2**53, 0 for the first byte the stream ever had. It holds
 * [start, end); beyond that, up to `start + limit`, bytes may be placed out of order and taken in later by `extend`.
 *
 * The byte of offset o lies at o modulo the capacity in a ring whose capacity is a power of two. The ring doubles as
 * needed and is dropped when there is nothing to hold, for most of many connections are idle. It counts in `memory`.
 */
export class ByteStream {
  #ring: Uint8Array = NOTHING;
  #start: number;
  #end: number;
  /** One past the highest offset written. */
  #reach: number;
  #limit: number;
  #resets = 0;
  readonly #memory: MemoryUse;

  /** @param limit how many bytes it may hold, below 2**31 */
  constructor(limit: number, start = 0, memory: MemoryUse = new Memory(Infinity)) {
    assert(limit >= 0 && limit < 2 ** 31, 'a limit is below 2**31');
    this.#memory = memory;
    this.#limit = limit;
    this.#start = start;
    this.#end = start;
    this.#reach = start;
  }

  /** Offset of the oldest byte held. */
  get start(): number {
    return this.#start;
  }

  /** One past the offset of the newest byte in order. */
  get end(): number {
    return this.#end;
  }

  /** How many bytes are held in order. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** How many more bytes `append` takes. */
  get free(): number {
    return Math.max(0, this.#limit - this.length);
  }

  get limit(): number {
    return this.#limit;
  }

  /** May be set below `length`: what is held stays, and nothing is taken until it has drained. */
  set limit(limit: number) {
    assert(limit >= 0 && limit < 2 ** 31, 'a limit is below 2**31');
    this.#limit = limit;
  }

  /** How often everything was forgotten: what is at an offset now may be other bytes than before. */
  get resets(): number {
    return this.#resets;
  }

  /** How much memory the bytes take just now. */
  get capacity(): number {
    return this.#ring.length;
  }

  /** How many bytes it could hold for all that `memory` has to say. */
  get affordable(): number {
    // The largest ring within that.
    return 2 ** (31 - Math.clz32(Math.min(this.#memory.most(this.#ring.length), 2 ** 31)));
  }

  /**
   * Puts as many bytes of source[from, to) at the end as there is room for.
   * @returns how many
   */
  append(source: Uint8Array, from = 0, to = source.length): number {
    const count = Math.min(to - from, this.free);
    if (count <= 0) return 0;
    this.write(this.#end, source, from, from + count);
    this.#end += count;
    return count;
  }

  /** Places source[from, to) at `offset`, which is at the end or beyond; the end stays where it is. */
  write(offset: number, source: Uint8Array, from = 0, to = source.length): void {
    const past = offset + (to - from);
    assert(from <= to, 'bytes are written forwards');
    assert(offset >= this.#end, 'bytes in order are never overwritten');
    assert(past <= this.#start + this.#limit, 'bytes are written within the limit');
    if (from === to) return;
    if (past - this.#start > this.#ring.length) this.#grow(past - this.#start);
    const at = offset & (this.#ring.length - 1);
    const beforeWrap = Math.min(to - from, this.#ring.length - at);
    this.#ring.set(source.subarray(from, from + beforeWrap), at);
    if (from + beforeWrap < to) this.#ring.set(source.subarray(from + beforeWrap, to), 0);
    if (past > this.#reach) this.#reach = past;
  }

  /** Moves the end forward to `to`, over bytes that `write` has placed. */
  extend(to: number): void {
    assert(to >= this.#end && to <= this.#reach, 'the end moves over written bytes');
    this.#end = to;
  }

  /** Copies `length` bytes that are held in order, from `offset`, to target[at ...]. */
  copy(offset: number, length: number, target: Uint8Array, at = 0): void {
    assert(length >= 0 && offset >= this.#start, 'bytes copied are still held');
    assert(offset + length <= this.#end, 'bytes copied have arrived');
    if (length === 0) return;
    const index = offset & (this.#ring.length - 1);
    const beforeWrap = Math.min(length, this.#ring.length - index);
    target.set(this.#ring.subarray(index, index + beforeWrap), at);
    if (beforeWrap < length)
      target.set(this.#ring.subarray(0, length - beforeWrap), at + beforeWrap);
  }

  /** Forgets the bytes before `to`, which is not beyond the end. */
  discard(to: number): void {
    assert(to >= this.#start && to <= this.#end, 'only bytes in order are discarded');
    this.#start = to;
    if (this.#start === this.#reach) this.#drop();
  }

  /** Forgets the bytes that are out of order. */
  forgetBeyondEnd(): void {
    this.#reach = this.#end;
    if (this.#start === this.#reach) this.#drop();
  }

  /** Forgets everything; the stream is empty and begins at `start`. */
  reset(start: number): void {
    this.#drop();
    this.#resets++;
    this.#start = start;
    this.#end = start;
    this.#reach = start;
  }

  /** Makes the ring large enough for `size` bytes. */
  #grow(size: number): void {
    const old = this.#ring;
    const ring = takeRing(ringFor(size));
    // A multiple of the new capacity is one of the old: cut at those, no piece wraps in either ring.
    for (let offset = this.#start; offset < this.#reach; ) {
      const index = offset & (old.length - 1);
      const count = Math.min(old.length - index, this.#reach - offset);
      ring.set(old.subarray(index, index + count), offset & (ring.length - 1));
      offset += count;
    }
    this.#replace(ring);
  }

  #drop(): void {
    if (this.#ring !== NOTHING) this.#replace(NOTHING);
  }

  #replace(ring: Uint8Array): void {
    const old = this.#ring;
    this.#memory.count(old.length, ring.length);
    this.#ring = ring;
    if (old !== NOTHING) spareRing(old);
  }
}

/** Bytes of the ring that holds `size` bytes. */
function ringFor(size: number): number {
  if (size <= 0) return 0;
  return Math.max(SMALLEST_RING, 2 ** (32 - Math.clz32(size - 1)));
}
