import type { ByteStream } from '../tcp/byte-stream.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { type Pcb, RECORD_LENGTH } from '../tcp/pcb.ts';
import { checkDatagrams } from '../tcp/udp/datagram-queue.ts';
import { UDP_RECORD_LENGTH, UdpPcb } from '../tcp/udp/udp-pcb.ts';
import type { RecordStore, StoredRecord } from './record-store.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { StreamChunks } from './stream-chunks.ts';
import { Table } from './table.ts';

/** One of the streams that a socket has. */
interface Direction<Subject> {
  readonly table: Table;
  start(pcb: Subject): number;
  end(pcb: Subject): number;
  /** To be asked only when needed: a stream comes into being by the asking. */
  stream(pcb: Subject): ByteStream;
}

/** How the sockets of one protocol are kept. */
interface Protocol<Subject extends ControlBlock> {
  /** Where their records are. */
  readonly table: Table;
  /** Bytes of each. */
  readonly recordLength: number;
  readonly directions: readonly Direction<Subject>[];
  /**
   * Looks at a restored socket when its streams are filled.
   * @throws RecordError when they are not what they should be
   */
  check(pcb: Subject): void;
}

const TCP: Protocol<Pcb> = {
  table: Table.connection,
  recordLength: RECORD_LENGTH,
  directions: [
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
  ],
  // Whatever bytes there are may be sent and read.
  check: () => {},
};

const UDP: Protocol<UdpPcb> = {
  table: Table.udpSocket,
  recordLength: UDP_RECORD_LENGTH,
  directions: [
    {
      table: Table.datagramChunk,
      start: (pcb) => pcb.RECEIVE_START,
      end: (pcb) => pcb.RECEIVE_END,
      stream: (pcb) => pcb.receiveStream,
    },
  ],
  check: checkDatagrams,
};

/** All tables whose records belong to a connection or a UDP socket, and have its id. */
export const SOCKET_TABLES: readonly Table[] = [TCP, UDP].flatMap(({ table, directions }) => [
  table,
  ...directions.map((direction) => direction.table),
]);

/** What gives back a connection or a UDP socket for its record. */
export interface Restoring {
  restore(record: Uint8Array): Pcb;
  readonly udp: { restore(record: Uint8Array): UdpPcb };
}

/** The same after the host has gone down. */
export interface Salvaging {
  salvage(record: Uint8Array): Pcb;
  readonly udp: { salvage(record: Uint8Array): UdpPcb };
}

/** Those of each socket that has bytes in the journal, for most are idle. */
type ChunksById = Map<number, StreamChunks>;

const JOURNALED = new WeakMap<RecordStore, Map<Table, ChunksById>>();

/** Stages the record of a connection or a UDP socket and what is new in its streams. Neither may change before the commit. */
export function stageConnection(journal: RecordStore, pcb: ControlBlock): void {
  if (pcb instanceof UdpPcb) stage(journal, UDP, pcb);
  else stage(journal, TCP, pcb as Pcb);
}

function stage<Subject extends ControlBlock>(
  journal: RecordStore,
  protocol: Protocol<Subject>,
  pcb: Subject,
): void {
  const id = pcb.ID;
  journal.put(protocol.table, id, 0, pcb.record);
  for (const direction of protocol.directions) {
    const journaled = chunksIn(journal, direction.table);
    let chunks = journaled.get(id);
    if (chunks === undefined) {
      if (direction.start(pcb) === direction.end(pcb)) continue;
      chunks = new StreamChunks(direction.table, id);
      journaled.set(id, chunks);
    }
    chunks.stage(journal, direction.stream(pcb));
    if (chunks.isEmpty) journaled.delete(id);
  }
}

/** Stages that a connection or a UDP socket is gone. */
export function removeConnection(journal: RecordStore, pcb: ControlBlock): void {
  const { table, directions } = pcb instanceof UdpPcb ? UDP : TCP;
  const id = pcb.ID;
  journal.delete(table, id, 0);
  for (const { table: chunkTable } of directions) {
    const journaled = chunksIn(journal, chunkTable);
    const chunks = journaled.get(id) ?? new StreamChunks(chunkTable, id);
    chunks.remove(journal);
    journaled.delete(id);
  }
}

/**
 * Gives every journaled connection and UDP socket back to the stack, with the bytes of its streams.
 * @throws StoreError when a record or a byte is missing
 * @throws RecordError when one contradicts itself or another
 */
export function restoreConnections(journal: RecordStore, stack: Restoring): void {
  restore(journal, TCP, (record) => stack.restore(record));
  restore(journal, UDP, (record) => stack.udp.restore(record));
}

/**
 * The same after the host has gone down: what that has made of them is staged. Their bytes may be missing, but for
 * those that were to outlive it.
 * @throws StoreError when a record or a byte is missing
 * @throws RecordError when one contradicts itself or another
 */
export function salvageConnections(journal: RecordStore, stack: Salvaging): void {
  salvage(journal, TCP, (record) => stack.salvage(record));
  salvage(journal, UDP, (record) => stack.udp.salvage(record));
}

function restore<Subject extends ControlBlock>(
  journal: RecordStore,
  protocol: Protocol<Subject>,
  restoreOne: (record: Uint8Array) => Subject,
): void {
  const pcbs = restorePcbs(journal, protocol, restoreOne);
  restoreAllStreams(journal, protocol, pcbs);
}

function salvage<Subject extends ControlBlock>(
  journal: RecordStore,
  protocol: Protocol<Subject>,
  salvageOne: (record: Uint8Array) => Subject,
): void {
  const pcbs = restorePcbs(journal, protocol, salvageOne);
  for (const { table, start, end } of protocol.directions) {
    for (const { id, index } of journal.scan(table)) {
      const pcb = pcbs.get(id);
      if (pcb !== undefined && start(pcb) === end(pcb)) journal.delete(table, id, index);
    }
  }
  restoreAllStreams(journal, protocol, pcbs);
  for (const pcb of pcbs.values()) stage(journal, protocol, pcb);
}

function restorePcbs<Subject extends ControlBlock>(
  journal: RecordStore,
  { table, recordLength }: Protocol<Subject>,
  restoreOne: (record: Uint8Array) => Subject,
): ReadonlyMap<number, Subject> {
  const pcbs = new Map<number, Subject>();
  for (const { id, value } of journal.scan(table)) {
    if (value.length !== recordLength) throw damaged(id, 'has a record of another length');
    pcbs.set(id, restoreOne(value));
  }
  return pcbs;
}

function restoreAllStreams<Subject extends ControlBlock>(
  journal: RecordStore,
  protocol: Protocol<Subject>,
  pcbs: ReadonlyMap<number, Subject>,
): void {
  for (const direction of protocol.directions) restoreStreams(journal, pcbs, direction);
  for (const pcb of pcbs.values()) protocol.check(pcb);
}

function restoreStreams<Subject extends ControlBlock>(
  journal: RecordStore,
  pcbs: ReadonlyMap<number, Subject>,
  direction: Direction<Subject>,
): void {
  const journaled = chunksIn(journal, direction.table);
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

function chunksIn(journal: RecordStore, table: Table): ChunksById {
  let tables = JOURNALED.get(journal);
  if (tables === undefined) {
    tables = new Map();
    JOURNALED.set(journal, tables);
  }
  let chunks = tables.get(table);
  if (chunks === undefined) {
    chunks = new Map();
    tables.set(table, chunks);
  }
  return chunks;
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
