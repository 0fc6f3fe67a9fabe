import { createHash } from 'node:crypto';
import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';
import { CONNECTIONS, describeFields, UDP_SOCKETS } from './connection-fields.ts';
import { restoreConnections, stageConnection } from './connections.ts';
import { getU64, LAYOUT_VERSION, putKey, putU64 } from './layout.ts';
import { ENTRY_HEADER_LENGTH, ENTRY_KEY, entriesIn } from './record-entry.ts';
import type { RecordSource, RecordStore, StoredRecord } from './record-store.ts';
import { RecordsInMemory } from './records-in-memory.ts';
import { StoreError } from './store-error.ts';
import { nameOfTable, Table } from './table.ts';
import { canUpgrade, upgrade } from './upgrade.ts';

/** What every file begins with. */
const MAGIC = Buffer.from('HOLDMOVE');
/** Magic, u32 layout version, u32 zero, u64 length of the whole file. */
const HEAD_LENGTH = 24;
/** SHA-256, at the end, of all before. */
const CHECKSUM_LENGTH = 32;
/** Bytes; above what the two largest buffers hold, 8 MiB each. */
export const LONGEST_CONNECTION_FILE = 32 << 20;
/** More than the slots of the longest stream. */
const LARGEST_INDEX = 1024;
/** Before it no connection could be moved. */
const FIRST_VERSION = 6;

/** What a file has: the fields of the record, the record, the bytes of both streams, the directory. */
const TABLES: ReadonlySet<number> = new Set([
  Table.store,
  Table.connection,
  Table.sendChunk,
  Table.receiveChunk,
  Table.node,
]);

/**
 * A connection that has moved out, as bytes: the records that a store has of it, in the same layout, and a checksum. They are the same at
 * every look, by every engine.
 */
export class ConnectionFile {
  readonly #pieces: readonly RecordSource[];
  /** Bytes of all of it. */
  readonly size: number;

  /**
   * @param pcb which has its file
   * @param node what the tree knows of it
   */
  constructor(pcb: Pcb, node: Uint8Array) {
    const records = new Pieces();
    describeFields(records, CONNECTIONS, CONNECTIONS.fields);
    stageConnection(records, pcb);
    records.put(Table.node, pcb.ID, 0, node);
    const pieces = records.sources;
    this.size = HEAD_LENGTH + lengthOf(pieces) + CHECKSUM_LENGTH;
    const checked = [bytesSource(head(this.size)), ...pieces];
    this.#pieces = [...checked, new Checksum(checked)];
  }

  /**
   * Copies what is from `offset` on.
   * @returns how many bytes are in `target` now; 0 at the end
   */
  copy(offset: number, target: Uint8Array): number {
    let copied = 0;
    let start = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(0, offset - start);
      if (from < piece.length && copied < target.length) {
        const bytes = bytesOf(piece).subarray(from, from + target.length - copied);
        target.set(bytes, copied);
        copied += bytes.length;
      }
      start += piece.length;
    }
    return copied;
  }
}

/**
 * How long a file is that begins so.
 * @returns undefined when that is too little to say
 * @throws RecordError when no file does
 */
export function lengthOfConnectionFile(beginning: Uint8Array): number | undefined {
  const magic = beginning.subarray(0, MAGIC.length);
  if (MAGIC.compare(magic, 0, magic.length, 0, magic.length) !== 0)
    throw new RecordError('this is no file of a connection');
  if (beginning.length < HEAD_LENGTH) return undefined;
  const view = viewOf(beginning);
  const length = getU64(view, 16);
  if (length < HEAD_LENGTH + CHECKSUM_LENGTH || length > LONGEST_CONNECTION_FILE)
    throw new RecordError(`the file says that it has ${length} bytes`);
  return length;
}

/** What a file holds. */
export interface ReadConnection {
  /** What the tree knew of it. */
  readonly node: Uint8Array;
  /**
   * Gives the connection back, for its record, with the bytes of its streams.
   * @throws RecordError when it contradicts itself; and what `restore` throws
   */
  restore(restore: (record: Uint8Array) => Pcb): void;
}

/**
 * Reads a file, of this program or of an earlier one.
 * @param bytes any
 * @throws RecordError when it is damaged, or was written by a newer program
 */
export function readConnectionFile(bytes: Uint8Array): ReadConnection {
  const length = lengthOfConnectionFile(bytes);
  if (length !== bytes.length)
    throw new RecordError(`the file has ${bytes.length} bytes and should have ${length ?? 'more'}`);
  const end = length - CHECKSUM_LENGTH;
  const checksum = createHash('sha256').update(bytes.subarray(0, end)).digest();
  if (checksum.compare(bytes, end) !== 0)
    throw new RecordError('the file is not as it was written: its checksum is wrong');
  const version = viewOf(bytes).getUint32(8);
  if (version < FIRST_VERSION || !canUpgrade(version))
    throw new RecordError(
      `the file has version ${version}, and this program knows ${LAYOUT_VERSION}`,
    );
  const records = new RecordsInMemory();
  // A store has both.
  describeFields(records, UDP_SOCKETS, UDP_SOCKETS.fields);
  fill(records, bytes.subarray(HEAD_LENGTH, end));
  asRecordErrors(() => upgrade(records, version));
  const [{ value: node }] = [theOnly(records, Table.node), theOnly(records, Table.connection)];
  return {
    node,
    restore: (restore) => asRecordErrors(() => restoreConnections(records, { restore, udp: NONE })),
  };
}

function head(size: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_LENGTH);
  bytes.set(MAGIC);
  const view = viewOf(bytes);
  view.setUint32(8, LAYOUT_VERSION);
  putU64(view, 16, size);
  return bytes;
}

/** Takes the records of one connection, each as it is in the file. */
class Pieces implements RecordStore {
  readonly sources: RecordSource[] = [];

  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    const before = new Uint8Array(ENTRY_HEADER_LENGTH);
    const view = viewOf(before);
    view.setUint32(0, value.length);
    putKey(view, ENTRY_KEY, table, id, index);
    this.sources.push(
      bytesSource(before),
      value instanceof Uint8Array ? bytesSource(value) : value,
    );
  }

  delete(): void {}

  scan(): Iterable<StoredRecord> {
    return [];
  }
}

/** The last bytes of a file, made when somebody wants them. */
class Checksum implements RecordSource {
  readonly length = CHECKSUM_LENGTH;
  readonly #checked: readonly RecordSource[];

  constructor(checked: readonly RecordSource[]) {
    this.#checked = checked;
  }

  copyTo(target: Uint8Array, at: number): void {
    const hash = createHash('sha256');
    for (const piece of this.#checked) hash.update(bytesOf(piece));
    target.set(hash.digest(), at);
  }
}

function bytesSource(bytes: Uint8Array): RecordSource {
  return { length: bytes.length, copyTo: (target, at) => target.set(bytes, at) };
}

function bytesOf(source: RecordSource): Uint8Array {
  const bytes = new Uint8Array(source.length);
  source.copyTo(bytes, 0);
  return bytes;
}

function lengthOf(sources: readonly RecordSource[]): number {
  return sources.reduce((sum, { length }) => sum + length, 0);
}

/** @throws RecordError when `bytes` are not records, or not those of one connection */
function fill(records: RecordStore, bytes: Uint8Array): void {
  let connection: number | undefined;
  for (const { table, id, index, value } of entriesIn(bytes)) {
    if (value === undefined) throw new RecordError('the file has a record that is gone');
    if (!TABLES.has(table)) throw new RecordError(`the file has a record of table ${table}`);
    if (table !== Table.store) {
      connection ??= id;
      if (id !== connection) throw new RecordError('the file has records of two connections');
    }
    if (index > LARGEST_INDEX) throw new RecordError(`the file has a record with index ${index}`);
    records.put(table, id, index, value);
  }
}

function theOnly(records: RecordStore, table: Table): StoredRecord {
  const [record, ...others] = records.scan(table);
  if (record === undefined || others.length > 0)
    throw new RecordError(`the file has not one ${nameOfTable(table)}`);
  return record;
}

const NONE = {
  restore: (): never => {
    throw new RecordError('the file has a UDP socket');
  },
};

/** What is said of a store is not true of a file. */
function asRecordErrors<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new RecordError(
      'the file contradicts itself, or holds what only a newer Holdfast knows',
      { cause: error },
    );
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
