import { RecordError } from '../tcp/record-error.ts';
import type { Change } from './change.ts';
import { getU64, KEY_LENGTH, LARGEST_ID } from './layout.ts';
import type { Table } from './table.ts';

/** Before each key: how long the value behind it is. */
const LENGTH_LENGTH = 4;
/** Instead of a length: the record is gone. */
export const GONE = 2 ** 32 - 1;
/** Length and key. */
export const ENTRY_HEADER_LENGTH = LENGTH_LENGTH + KEY_LENGTH;
/** Where in an entry its key is. */
export const ENTRY_KEY = LENGTH_LENGTH;

/** A record, or that it is gone, as the redo log, a snapshot and the file of a connection have it. */
export interface Entry extends Change<Uint8Array> {
  readonly key: Uint8Array;
}

/**
 * The entries that lie one after the other in `bytes`, as views of them.
 * @throws RecordError when something else does
 */
export function* entriesIn(bytes: Uint8Array): Generator<Entry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const keyAt = at + ENTRY_KEY;
    const valueAt = at + ENTRY_HEADER_LENGTH;
    if (valueAt > bytes.length) throw beyond();
    const length = view.getUint32(at);
    const table = view.getUint8(keyAt) as Table;
    const id = getU64(view, keyAt + 1);
    const index = view.getUint32(keyAt + KEY_LENGTH - 4);
    at = length === GONE ? valueAt : valueAt + length;
    if (at > bytes.length) throw beyond();
    if (id > LARGEST_ID) throw new RecordError('the file has an id that is no integer');
    const value = length === GONE ? undefined : bytes.subarray(valueAt, at);
    yield { key: bytes.subarray(keyAt, valueAt), table, id, index, value };
  }
}

function beyond(): RecordError {
  return new RecordError('a record goes beyond the end of the file');
}
