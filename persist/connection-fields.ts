import { RECORD_LAYOUT } from '../tcp/pcb.ts';
import { carryOver, type FieldNames, namesOf } from '../tcp/record.ts';
import { UDP_RECORD_LAYOUT } from '../tcp/udp/udp-pcb.ts';
import type { RecordStore } from './record-store.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { StoreRecord, Table } from './table.ts';

/** Records that are laid out by fields. */
interface FieldedRecords {
  readonly table: Table;
  /** Which record of the table `store` says by which. */
  readonly index: number;
  /** Those of this program. */
  readonly fields: FieldNames;
}

export const CONNECTIONS: FieldedRecords = {
  table: Table.connection,
  index: StoreRecord.fields,
  fields: namesOf(RECORD_LAYOUT),
};

export const UDP_SOCKETS: FieldedRecords = {
  table: Table.udpSocket,
  index: StoreRecord.udpFields,
  fields: namesOf(UDP_RECORD_LAYOUT),
};

const ALL = [CONNECTIONS, UDP_SOCKETS];

/** Puts into the store by which fields its records are written: those of this program. */
export function describeAllFields(store: RecordStore): void {
  for (const records of ALL) describeFields(store, records, records.fields);
}

export function describeFields(
  store: RecordStore,
  { index }: FieldedRecords,
  fields: FieldNames,
): void {
  store.put(Table.store, 0, index, Buffer.from(JSON.stringify(fields)));
}

/**
 * Writes the connections and UDP sockets by the fields of this program, if another one has written them. What the other did not know
 * is zero, which is right for every field that needs no step of its own (upgrade.ts).
 * @throws StoreError when the other knew more: to forget that would be to break what was promised
 */
export function carryOverConnections(store: RecordStore): void {
  for (const records of ALL) carryOverRecords(store, records);
}

function carryOverRecords(store: RecordStore, records: FieldedRecords): void {
  const { table, fields } = records;
  const stored = storedFields(store, records);
  if (JSON.stringify(stored) === JSON.stringify(fields)) return;
  demandKnown(stored, records);
  for (const { id, index, value } of store.scan(table))
    store.put(table, id, index, carryOver(value, stored, fields));
  describeFields(store, records, fields);
}

/** @throws StoreError when who writes by `fields` knows more than this program */
export function demandKnown(fields: FieldNames, records: FieldedRecords): void {
  const known = new Set([...allNames(records.fields), ...GONE]);
  const unknown = allNames(fields).find((name) => !known.has(name));
  if (unknown !== undefined) throw newer(unknown);
}

/** Fields that there once were and that nothing depends on any more. */
const GONE = ['TS_OFFSET'];

function storedFields(store: RecordStore, records: FieldedRecords): FieldNames {
  for (const { index, value } of store.scan(Table.store))
    if (index === records.index) return parse(value);
  throw damaged();
}

/** What a record may have, whether or not this program's have it. */
const TYPES = ['f64', 'u32', 'u16', 'u8'];

/** The text is what some program wrote: this one, or another one that has more types of field. A file that somebody brings may say anything. */
function parse(value: Uint8Array): FieldNames {
  const fields = asFieldNames(Buffer.from(value).toString());
  const type = Object.keys(fields).find((name) => !TYPES.includes(name));
  if (type === undefined) return fields;
  throw newer(`fields of type ${type}`);
}

function asFieldNames(text: string): FieldNames {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged();
  }
  if (typeof value !== 'object' || value === null) throw damaged();
  for (const names of Object.values(value))
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) throw damaged();
  return value as FieldNames;
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
