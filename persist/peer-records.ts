import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Durability } from '../tcp/durability.ts';
import { RECORD_LAYOUT } from '../tcp/pcb.ts';
import { mayReceiveText } from '../tcp/state.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { CHECKPOINT_FILES } from './layout.ts';
import type { RestorePoint } from './restore-point.ts';
import { readStore, type StoreContents } from './store-contents.ts';
import { StoreError } from './store-error.ts';
import { Table } from './table.ts';
import { TurnFile } from './turn-file.ts';

/** The store says in one of its own by which fields connections are written. */
const TABLES = [Table.store, Table.connection];

/** What may be told to peers while nobody uses the store. */
export interface PeerRecords {
  /** The turn that the store had come to. As soon as it says another one, none of this is to be told any more. */
  readonly turn: number;
  /** Of each connection that may be spoken for, from `Pcb.record`. */
  readonly records: readonly Uint8Array[];
}

/** The turn that the store at `directory` has come to, as far as is said outside LMDB. */
export function storedTurn(directory: string): number {
  // Nothing is made or written.
  const turnFile = TurnFile.open(directory, 0);
  if (turnFile === undefined) throw new StoreError(`${directory} holds no store`);
  turnFile.close();
  return turnFile.turn;
}

/**
 * The records of connections as their peers may know them: what is in them is durable, as each connection has it. Nothing in the
 * store is changed.
 * @throws StoreError when it cannot be read, or something in it is not sound
 */
export function readPeerRecords(directory: string): PeerRecords {
  const turn = storedTurn(directory);
  const contents = sound(readStore(directory, { tables: TABLES }));
  const records: Uint8Array[] = [];
  const ofPower = powerRecords(directory, contents);
  for (const { id, value } of contents.records.scan(Table.connection)) {
    const record = outlivesHost(value) ? ofPower.get(id) : processRecord(contents, value);
    if (record !== undefined) records.push(record);
  }
  return { turn, records };
}

/** With `process`, what was committed is durable for as long as the host stays up. What may be taken back is not. */
function processRecord(contents: StoreContents, record: Uint8Array): Uint8Array | undefined {
  if (contents.restoresFrom !== 'last turn') return undefined;
  const mayBeTakenBack =
    mayReceiveText(fieldOf(record, 'STATE')) && fieldOf(record, 'FIN_RECEIVED') === 0;
  return contents.isTentative && mayBeTakenBack ? undefined : record;
}

/** With `power`, it is what the disk has: the newest checkpoint, unless all was synced when the store was closed. */
function powerRecords(directory: string, contents: StoreContents): ReadonlyMap<number, Uint8Array> {
  const source = contents.closed ? contents : checkpointed(directory);
  const records = new Map<number, Uint8Array>();
  for (const { id, value } of source?.records.scan(Table.connection) ?? [])
    if (outlivesHost(value)) records.set(id, value);
  return records;
}

function checkpointed(directory: string): StoreContents | undefined {
  const checkpoint = newestCheckpoint(directory);
  if (checkpoint === undefined) return undefined;
  // Whoever saved it may have died before the disk had it.
  for (const name of CHECKPOINT_FILES) syncFile(join(directory, name));
  const { turn, metas } = checkpoint;
  const expected = { firstTurn: turn, lastTurn: turn, leastLength: 0, metas };
  const point: RestorePoint = { from: 'checkpoint', expected };
  return sound(readStore(directory, { tables: TABLES, point }));
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sound(contents: StoreContents): StoreContents {
  const [problem] = contents.problems;
  if (problem !== undefined) throw new StoreError(problem);
  return contents;
}

function outlivesHost(record: Uint8Array): boolean {
  return fieldOf(record, 'DURABILITY') === Durability.POWER;
}

/** One of the fields that are a byte. */
function fieldOf(record: Uint8Array, name: string): number {
  return record[RECORD_LAYOUT.find((field) => field.name === name)!.offset]!;
}
