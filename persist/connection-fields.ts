import { RECORD_LAYOUT } from '../tcp/pcb.ts';
import { carryOver, type FieldNames, namesOf } from '../tcp/record.ts';
import type { RecordStore } from './record-store.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { StoreRecord, Table } from './table.ts';

const CURRENT = namesOf(RECORD_LAYOUT);

/** Puts into the store by which fields its connections are written: those of this program, if not said otherwise. */
export function describeFields(store: RecordStore, fields: FieldNames = CURRENT): void {
  store.put(Table.store, 0, StoreRecord.fields, Buffer.from(JSON.stringify(fields)));
}

/**
 * Writes the connections by the fields of this program, if another one has written them. What the other did not know is
 * zero, which is right for every field that needs no step of its own (upgrade.ts).
 * @throws StoreError when the other knew more: to forget that would be to break what was promised
 */
export function carryOverConnections(store: RecordStore): void {
  const stored = storedFields(store);
  if (JSON.stringify(stored) === JSON.stringify(CURRENT)) return;
  const known = new Set([...allNames(CURRENT), ...GONE]);
  const unknown = allNames(stored).find((name) => !known.has(name));
  if (unknown !== undefined) throw newer(unknown);
  for (const { id, index, value } of store.scan(Table.connection))
    store.put(Table.connection, id, index, carryOver(value, stored, CURRENT));
  describeFields(store);
}

/** Fields that there once were and that nothing depends on any more. */
const GONE = ['TS_OFFSET'];

function storedFields(store: RecordStore): FieldNames {
  for (const { index, value } of store.scan(Table.store))
    if (index === StoreRecord.fields) return parse(value);
  throw damaged();
}

/** Behind its checksum the text is what some program wrote: this one, or another one that has more types of field. */
function parse(value: Uint8Array): FieldNames {
  const fields = JSON.parse(Buffer.from(value).toString()) as FieldNames;
  const type = Object.keys(fields).find((name) => !(name in CURRENT));
  if (type === undefined) return fields;
  throw newer(`fields of type ${type}`);
}

function allNames(fields: FieldNames): string[] {
  return Object.values(fields).flat();
}

function newer(what: string): StoreError {
  return new StoreError(
    `the store was written by a newer Holdfast: its connections have ${what}, which this one does not know; use the newer one, or another --store`,
  );
}

function damaged(): StoreError {
  return new StoreError(
    `the store is damaged: it does not say how its connections are written; ${REMEDY}`,
  );
}
