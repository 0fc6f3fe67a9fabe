import { crc32 } from 'node:zlib';
import { assert } from '../tcp/assert.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Change } from './change.ts';
import { Facts } from './facts.ts';
import { getU64, putKey, putU64 } from './layout.ts';
import { ENTRY_HEADER_LENGTH, ENTRY_KEY, entriesIn, GONE } from './record-entry.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { StoreRecord, Table } from './table.ts';

const LENGTH = 0;
const CHECKSUM = 4;
const TURN = 8;
const HEADER_LENGTH = 16;

/** Where a turn lies in the bytes of a redo log. */
export interface PlacedTurn {
  readonly turn: number;
  readonly start: number;
  readonly end: number;
}

/** Bytes that a turn of these changes takes. */
export function lengthOfTurn(changes: Iterable<Change>): number {
  let length = HEADER_LENGTH;
  for (const { value } of changes) length += ENTRY_HEADER_LENGTH + (value?.length ?? 0);
  return length;
}

/** Writes a turn at `start`. There has to be room for `length` bytes, which is its `lengthOfTurn`. */
export function putTurn(
  bytes: Buffer,
  start: number,
  length: number,
  turn: number,
  changes: Iterable<Change>,
): void {
  const view = viewOf(bytes);
  const end = start + length;
  let at = start + HEADER_LENGTH;
  for (const { table, id, index, value } of changes) {
    view.setUint32(at, value?.length ?? GONE);
    putKey(view, at + ENTRY_KEY, table, id, index);
    at += ENTRY_HEADER_LENGTH;
    if (value === undefined) continue;
    if (value instanceof Uint8Array) bytes.set(value, at);
    else value.copyTo(bytes, at);
    at += value.length;
  }
  assert(at === end, 'a value keeps its length until the commit');
  view.setUint32(start + LENGTH, length);
  putU64(view, start + TURN, turn);
  sealTurn(bytes, start, end);
}

/** Gives a turn at [start, end) its checksum. */
export function sealTurn(bytes: Buffer, start: number, end: number): void {
  bytes.writeUInt32BE(crc32(bytes.subarray(start + TURN, end)), start + CHECKSUM);
}

/** @returns undefined when no whole turn begins there */
export function turnAt(bytes: Buffer, start: number): PlacedTurn | undefined {
  if (start + HEADER_LENGTH > bytes.length) return undefined;
  const view = viewOf(bytes);
  const end = start + view.getUint32(start + LENGTH);
  if (end < start + HEADER_LENGTH || end > bytes.length) return undefined;
  if (crc32(bytes.subarray(start + TURN, end)) !== view.getUint32(start + CHECKSUM))
    return undefined;
  return { turn: getU64(view, start + TURN), start, end };
}

/**
 * The changes of a turn, in the order in which they were made. Their values are views of the log.
 * @throws StoreError when it holds something else
 */
export function* changesOf(
  bytes: Buffer,
  { turn, start, end }: PlacedTurn,
): Generator<Change<Uint8Array>> {
  try {
    for (const entry of entriesIn(bytes.subarray(start + HEADER_LENGTH, end))) {
      const { table, index, value } = entry;
      const isFacts = table === Table.store && index === StoreRecord.facts;
      if (isFacts && value?.length !== Facts.LENGTH) throw damaged(turn);
      yield entry;
    }
  } catch (error) {
    throw error instanceof RecordError ? damaged(turn) : error;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function damaged(turn: number): StoreError {
  return new StoreError(
    `the store is damaged: turn ${turn} of its redo log has something else in it; ${REMEDY}`,
  );
}
