import type { Table } from './table.ts';

export interface StoredRecord {
  readonly id: number;
  readonly index: number;
  readonly value: Uint8Array;
}

/** A value that lies elsewhere until the commit copies it: it must not change before. */
export interface RecordSource {
  /** In bytes. */
  readonly length: number;
  /** Writes the value to target[at ...]. */
  copyTo(target: Uint8Array, at: number): void;
}

/** As much of a journal as those need who keep records in it. When a turn is committed is not theirs to say. */
export interface RecordStore {
  /** Stages a record. Its bytes must stay as they are until the commit; of several for one key, the last one counts. */
  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void;
  /** Stages that there is no such record. */
  delete(table: Table, id: number, index: number): void;
  /** The committed records of a table, in the order of (id, index). Their bytes are the caller's. */
  scan(table: Table): Iterable<StoredRecord>;
}
