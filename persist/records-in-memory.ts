import type { RecordSource, RecordStore, StoredRecord } from './record-store.ts';
import type { Table } from './table.ts';

/** Records that no disk holds: read from one, or about to be written to one. */
export class RecordsInMemory implements RecordStore {
  readonly #below: Pick<RecordStore, 'scan'> | undefined;
  readonly #tables = new Map<Table, Map<string, StoredRecord>>();

  /** @param below where the tables are that nothing was put into or deleted from; it stays as it is */
  constructor(below?: Pick<RecordStore, 'scan'>) {
    this.#below = below;
  }

  /** Stages in `store` what makes its tables those that are here, if `below` is what it has. */
  stageIn(store: RecordStore): void {
    for (const [table, records] of this.#tables) {
      for (const { id, index } of this.#below?.scan(table) ?? [])
        if (!records.has(keyOf(id, index))) store.delete(table, id, index);
      for (const { id, index, value } of records.values()) store.put(table, id, index, value);
    }
  }

  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    this.#tableOf(table).set(keyOf(id, index), { id, index, value: copyOf(value) });
  }

  delete(table: Table, id: number, index: number): void {
    this.#tableOf(table).delete(keyOf(id, index));
  }

  scan(table: Table): Iterable<StoredRecord> {
    if (this.#below !== undefined && !this.#tables.has(table)) return this.#below.scan(table);
    return [...this.#tableOf(table).values()].sort((a, b) => a.id - b.id || a.index - b.index);
  }

  #tableOf(table: Table): Map<string, StoredRecord> {
    let records = this.#tables.get(table);
    if (records === undefined) {
      records = new Map();
      for (const record of this.#below?.scan(table) ?? [])
        records.set(keyOf(record.id, record.index), record);
      this.#tables.set(table, records);
    }
    return records;
  }
}

function keyOf(id: number, index: number): string {
  return `${id}/${index}`;
}

function copyOf(value: Uint8Array | RecordSource): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  const copy = new Uint8Array(value.length);
  value.copyTo(copy, 0);
  return copy;
}
