import { assert } from '../tcp/assert.ts';
import type { ByteStream } from '../tcp/byte-stream.ts';

import { CHUNK_HEADER_LENGTH, getU64, LARGEST_CHUNK, putU64 } from './layout.ts';
import type { RecordSource, RecordStore, StoredRecord } from './record-store.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { nameOfTable, type Table } from './table.ts';

/** A last chunk shorter than this is written again with the bytes that follow, so that a trickle does not make crumbs. */
const SMALL_CHUNK = 4096;
/** Up to this much an empty stream leaves in the store, rather than change one more page for it. */
const SMALL_REMNANT = 1024;

/** Bytes [start, end) of a stream, at a slot. */
class Chunk implements RecordSource {
  readonly slot: number;
  readonly start: number;
  readonly end: number;
  readonly #stream: ByteStream;

  constructor(slot: number, start: number, end: number, stream: ByteStream) {
    this.slot = slot;
    this.start = start;
    this.end = end;
    this.#stream = stream;
  }

  get length(): number {
    return CHUNK_HEADER_LENGTH + this.end - this.start;
  }

  copyTo(target: Uint8Array, at: number): void {
    const header = new DataView(target.buffer, target.byteOffset + at, CHUNK_HEADER_LENGTH);
    putU64(header, 0, this.start);
    this.#stream.copy(this.start, this.end - this.start, target, at + CHUNK_HEADER_LENGTH);
  }
}

/**
 * Where the bytes of one stream are in the journal: chunks at slots that are used again, so that a busy stream rewrites
 * its own pages. A chunk that lies wholly below the start of the stream means nothing any more, and its slot is free.
 */
export class StreamChunks {
  readonly #table: Table;
  readonly #id: number;
  /** Those that hold bytes of the stream, in its order, without gap. */
  #live: Chunk[] = [];
  #free: number[] = [];
  /** All slots are below this; each is free or has a live chunk. */
  #slots = 0;
  /** `ByteStream.resets` when the live ones were written. */
  #resets = 0;
  /** How long the record at slot 0 is. */
  #remnant = 0;

  /** @param id of the connection */
  constructor(table: Table, id: number) {
    this.#table = table;
    this.#id = id;
  }

  /** There is nothing to know: no bytes, and no slot but perhaps the first. */
  get isEmpty(): boolean {
    return this.#live.length === 0 && this.#slots <= 1;
  }

  /** Stages the bytes that are not journaled yet, and that those which left the stream are not needed. */
  stage(journal: RecordStore, stream: ByteStream): void {
    if (stream.resets !== this.#resets) this.#forget(journal, stream);
    this.#freeBelow(stream.start);
    if (stream.length === 0) this.#shrink(journal);
    else this.#append(journal, stream);
  }

  /** Stages that none of it is left. */
  remove(journal: RecordStore): void {
    for (let slot = 0; slot < Math.max(1, this.#slots); slot++)
      journal.delete(this.#table, this.#id, slot);
  }

  /**
   * Fills `stream`, which is empty and begins where it did, from its chunks.
   * @param end where the stream must end
   * @throws StoreError when bytes are missing
   */
  restore(records: readonly StoredRecord[], stream: ByteStream, end: number): void {
    const { limit } = stream;
    stream.limit = Math.max(limit, end - stream.start);
    for (const chunk of records.map(placeOf).sort((a, b) => a.start - b.start))
      this.#restoreChunk(chunk, stream, end);
    if (stream.end !== end) throw this.#gap(stream.end);
    stream.limit = limit;
    this.#resets = stream.resets;
    const used = new Set(this.#live.map((chunk) => chunk.slot));
    for (let slot = this.#slots - 1; slot >= 0; slot--) if (!used.has(slot)) this.#free.push(slot);
  }

  #restoreChunk({ record, start, end }: PlacedChunk, stream: ByteStream, streamEnd: number): void {
    const { index: slot, value } = record;
    this.#slots = Math.max(this.#slots, slot + 1);
    if (slot === 0) this.#remnant = value.length;
    if (end <= stream.start) return;
    const isFirst = this.#live.length === 0;
    if (isFirst ? start > stream.end : start !== stream.end) throw this.#gap(stream.end);
    if (end > streamEnd) throw this.#gap(streamEnd);
    stream.append(value, CHUNK_HEADER_LENGTH + stream.end - start);
    this.#live.push(new Chunk(slot, start, end, stream));
  }

  #gap(offset: number): StoreError {
    const where = `${nameOfTable(this.#table)} of connection ${this.#id}`;
    return new StoreError(
      `the store is damaged: the ${where} do not join at offset ${offset}; ${REMEDY}`,
    );
  }

  /** Bytes were given back. Those of their offsets come again, perhaps in this very turn, and only some of them. */
  #forget(journal: RecordStore, stream: ByteStream): void {
    for (const { slot } of this.#live) {
      journal.delete(this.#table, this.#id, slot);
      this.#free.push(slot);
      if (slot === 0) this.#remnant = 0;
    }
    this.#live = [];
    this.#resets = stream.resets;
  }

  #freeBelow(start: number): void {
    while (this.#live.length > 0 && this.#live[0]!.end <= start)
      this.#free.push(this.#live.shift()!.slot);
  }

  #append(journal: RecordStore, stream: ByteStream): void {
    const { start, end } = stream;
    const last = this.#live.at(-1);
    let from = Math.max(start, last?.end ?? start);
    assert(from <= end, 'a stream never gives up bytes at its end');
    if (from === end) return;
    if (last !== undefined && last.end - Math.max(last.start, start) < SMALL_CHUNK) {
      from = Math.max(last.start, start);
      this.#live.pop();
      this.#free.push(last.slot);
    }
    while (from < end) {
      const slot = this.#free.pop() ?? this.#slots++;
      const to = Math.min(from + LARGEST_CHUNK, end);
      const chunk = new Chunk(slot, from, to, stream);
      if (slot === 0) this.#remnant = chunk.length;
      journal.put(this.#table, this.#id, slot, chunk);
      this.#live.push(chunk);
      from = to;
    }
  }

  /** The stream is empty, also if it was given back: no slot stays but perhaps the first. */
  #shrink(journal: RecordStore): void {
    this.#live = [];
    for (let slot = this.#slots - 1; slot > 0; slot--) journal.delete(this.#table, this.#id, slot);
    if (this.#remnant > SMALL_REMNANT) journal.delete(this.#table, this.#id, 0);
    this.#free = [];
    this.#slots = 0;
    this.#remnant = 0;
  }
}

interface PlacedChunk {
  readonly record: StoredRecord;
  readonly start: number;
  readonly end: number;
}

function placeOf(record: StoredRecord): PlacedChunk {
  const { value } = record;
  if (value.length <= CHUNK_HEADER_LENGTH)
    throw new StoreError(
      `the store is damaged: a chunk of connection ${record.id} is empty; ${REMEDY}`,
    );
  const start = getU64(new DataView(value.buffer, value.byteOffset, value.byteLength), 0);
  return { record, start, end: start + value.length - CHUNK_HEADER_LENGTH };
}
