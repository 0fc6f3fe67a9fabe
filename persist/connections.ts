import type { ByteStream } from '../tcp/byte-stream.ts';
import { type Pcb, RECORD_LENGTH } from '../tcp/pcb.ts';
import type { RecordStore, StoredRecord } from './record-store.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { StreamChunks } from './stream-chunks.ts';
import { Table } from './table.ts';

/** One of the two streams that every connection has. */
interface Direction {
  readonly table: Table;
  start(pcb: Pcb): number;
  end(pcb: Pcb): number;
  /** To be asked only when needed: a stream comes into being by the asking. */
  stream(pcb: Pcb): ByteStream;
}

const DIRECTIONS: readonly Direction[] = [
  {
    table: Table.sendChunk,
    start: (pcb) => pcb.SEND_START,
    end: (pcb) => pcb.SEND_END,
    stream: (pcb) => pcb.sendStream,
  },
  {
    table: Table.receiveChunk,
    start: (pcb) => pcb.RECEIVE_START,
    end: (pcb) => pcb.RECEIVE_END,
    stream: (pcb) => pcb.receiveStream,
  },
];

/** By direction and connection; only of connections that have bytes in the journal, for most are idle. */
type JournaledChunks = readonly Map<number, StreamChunks>[];

const JOURNALED = new WeakMap<RecordStore, JournaledChunks>();

/** Stages a connection's record and what is new in its streams. Neither may change before the commit. */
export function stageConnection(journal: RecordStore, pcb: Pcb): void {
  const journaled = journaledChunks(journal);
  const id = pcb.ID;
  journal.put(Table.connection, id, 0, pcb.record);
  for (let i = 0; i < DIRECTIONS.length; i++) {
    const direction = DIRECTIONS[i]!;
    let chunks = journaled[i]!.get(id);
    if (chunks === undefined) {
      if (direction.start(pcb) === direction.end(pcb)) continue;
      chunks = new StreamChunks(direction.table, id);
      journaled[i]!.set(id, chunks);
    }
    chunks.stage(journal, direction.stream(pcb));
    if (chunks.isEmpty) journaled[i]!.delete(id);
  }
}

/** Stages that a connection is gone. */
export function removeConnection(journal: RecordStore, id: number): void {
  const journaled = journaledChunks(journal);
  journal.delete(Table.connection, id, 0);
  for (const [i, { table }] of DIRECTIONS.entries()) {
    const chunks = journaled[i]!.get(id) ?? new StreamChunks(table, id);
    chunks.remove(journal);
    journaled[i]!.delete(id);
  }
}

/**
 * Gives every journaled connection back to the stack, with the bytes of its streams.
 * @throws StoreError when a record or a byte is missing
 */
export function restoreConnections(
  journal: RecordStore,
  stack: { restore(record: Uint8Array): Pcb },
): void {
  const pcbs = restorePcbs(journal, (record) => stack.restore(record));
  for (const [i, direction] of DIRECTIONS.entries())
    restoreStreams(journal, pcbs, direction, journaledChunks(journal)[i]!);
}

/**
 * The same after the host has gone down: what that has made of connections is staged. Their bytes may be missing, but for
 * those that were to outlive it.
 * @throws StoreError when a record or a byte is missing
 */
export function salvageConnections(
  journal: RecordStore,
  stack: { salvage(record: Uint8Array): Pcb },
): void {
  const pcbs = restorePcbs(journal, (record) => stack.salvage(record));
  for (const [i, direction] of DIRECTIONS.entries()) {
    for (const { id, index } of journal.scan(direction.table)) {
      const pcb = pcbs.get(id);
      if (pcb !== undefined && direction.start(pcb) === direction.end(pcb))
        journal.delete(direction.table, id, index);
    }
    restoreStreams(journal, pcbs, direction, journaledChunks(journal)[i]!);
  }
  for (const pcb of pcbs.values()) stageConnection(journal, pcb);
}

function restorePcbs(
  journal: RecordStore,
  restore: (record: Uint8Array) => Pcb,
): ReadonlyMap<number, Pcb> {
  const pcbs = new Map<number, Pcb>();
  for (const { id, value } of journal.scan(Table.connection)) {
    if (value.length !== RECORD_LENGTH) throw damaged(id, 'has a record of another length');
    pcbs.set(id, restore(value));
  }
  return pcbs;
}

function restoreStreams(
  journal: RecordStore,
  pcbs: ReadonlyMap<number, Pcb>,
  direction: Direction,
  journaled: Map<number, StreamChunks>,
): void {
  journaled.clear();
  for (const [id, records] of byConnection(journal.scan(direction.table))) {
    const pcb = pcbs.get(id);
    if (pcb === undefined) throw damaged(id, 'has bytes but no record');
    const end = direction.end(pcb);
    // What an empty stream has left behind means nothing.
    if (direction.start(pcb) === end) continue;
    const chunks = new StreamChunks(direction.table, id);
    chunks.restore(records, direction.stream(pcb), end);
    journaled.set(id, chunks);
  }
  for (const [id, pcb] of pcbs)
    if (direction.start(pcb) !== direction.end(pcb) && !journaled.has(id))
      throw damaged(id, 'has lost its bytes');
}

function journaledChunks(journal: RecordStore): JournaledChunks {
  let journaled = JOURNALED.get(journal);
  if (journaled === undefined) {
    journaled = DIRECTIONS.map(() => new Map());
    JOURNALED.set(journal, journaled);
  }
  return journaled;
}

/** The records of each connection together; a scan gives them in the order of their ids. */
function* byConnection(scan: Iterable<StoredRecord>): Generator<[number, StoredRecord[]]> {
  let records: StoredRecord[] = [];
  for (const record of scan) {
    if (records.length > 0 && records[0]!.id !== record.id) {
      yield [records[0]!.id, records];
      records = [];
    }
    records.push(record);
  }
  if (records.length > 0) yield [records[0]!.id, records];
}

function damaged(id: number, what: string): StoreError {
  return new StoreError(`the store is damaged: connection ${id} ${what}; ${REMEDY}`);
}
