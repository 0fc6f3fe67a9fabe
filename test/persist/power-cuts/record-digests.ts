import { createHash } from 'node:crypto';
import type { RecordStore } from '../../../persist/record-store.ts';
import { Table } from '../../../persist/table.ts';

/** By `table/id/index`, a digest of the value. */
export type Records = Record<string, string>;

/** The key of a record as text. */
export function keyOf(table: Table, id: number, index: number): string {
  return `${table}/${id}/${index}`;
}

export function digestOf(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 16);
}

/** Of all records but those of the store as a whole, which every commit changes. */
export function digestsOf(records: Pick<RecordStore, 'scan'>): Records {
  const digests: Records = {};
  for (const table of Object.values(Table)) {
    if (table === Table.store) continue;
    for (const { id, index, value } of records.scan(table))
      digests[keyOf(table, id, index)] = digestOf(value);
  }
  return digests;
}
