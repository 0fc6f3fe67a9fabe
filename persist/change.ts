import type { RecordSource } from './record-store.ts';
import type { Table } from './table.ts';

/** What becomes of one record. */
export interface Change<Value = Uint8Array | RecordSource> {
  readonly table: Table;
  readonly id: number;
  readonly index: number;
  /** undefined: there is no such record any more. */
  readonly value: Value | undefined;
}

/** Of several changes of one record, the last. */
export function lastOfEach<Value>(changes: Iterable<Change<Value>>): Iterable<Change<Value>> {
  const last = new Map<string, Change<Value>>();
  for (const change of changes) last.set(`${change.table}/${change.id}/${change.index}`, change);
  return last.values();
}
