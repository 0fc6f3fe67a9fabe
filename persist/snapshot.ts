import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { checkRecord } from './check-record.ts';
import { Facts } from './facts.ts';
import {
  CHECKSUM_LENGTH,
  isFacts,
  KEY_LENGTH,
  SNAPSHOT_FILE,
  UNFINISHED_SNAPSHOT_FILE,
} from './layout.ts';
import type { Lmdb, ReadTransaction } from './lmdb.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { Table } from './table.ts';

/** Facts, sockets, directories: what means something without the bytes of any stream, and without the mount. */
const TABLES = [Table.store, Table.connection, Table.node, Table.udpSocket];

/** How many records are read between two waits for the disk, in some hundred microseconds: the turns go on meanwhile. */
const PIECE = 64;
/** Before each key: how long the value behind it is. */
const LENGTH_LENGTH = 4;

/** A record as LMDB holds it. */
export interface RawRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface Snapshot {
  readonly turn: number;
  readonly records: readonly RawRecord[];
}

/**
 * Writes the records of the last committed turn, without the bytes of streams, to a file of their own, which takes the place of the one
 * before only when it is whole and on the disk. Turns go on meanwhile.
 *
 * It is what the host's death leaves of connections with durability `process`: their names, and that they were. A
 * checkpoint would leave all of them, but has to keep LMDB from using pages again for as long as it counts.
 * @throws Error the disk's
 */
export async function makeSnapshot(directory: string, lmdb: Lmdb): Promise<void> {
  const unfinished = join(directory, UNFINISHED_SNAPSHOT_FILE);
  const transaction = lmdb.useReadTransaction();
  try {
    await writeFile(unfinished, (file) => writeRecords(file, lmdb, transaction));
  } catch (error) {
    // The disk may be full, and others need the room.
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    transaction.done();
  }
  await rename(unfinished, join(directory, SNAPSHOT_FILE));
  await syncDirectory(directory);
}

/** @throws StoreError when it is damaged */
export function readSnapshot(directory: string): Snapshot | undefined {
  const path = join(directory, SNAPSHOT_FILE);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const damage = new StoreError(
    `the store is damaged: ${path} is not as it was written; ${REMEDY}`,
  );
  const end = bytes.length - CHECKSUM_LENGTH;
  if (end < 0 || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw damage;
  const records: RawRecord[] = [];
  for (let at = 0; at < end; ) {
    const keyAt = at + LENGTH_LENGTH;
    const valueAt = keyAt + KEY_LENGTH;
    const valueEnd = valueAt + bytes.readUInt32BE(at);
    const key = bytes.subarray(keyAt, valueAt);
    records.push({ key, value: bytes.subarray(valueAt, valueEnd) });
    at = valueEnd;
  }
  const facts = records[0];
  if (facts === undefined || !isFacts(facts.key)) throw damage;
  return { turn: new Facts(checkRecord(facts.key, facts.value)).turn, records };
}

async function writeFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeRecords(
  file: FileHandle,
  lmdb: Lmdb,
  transaction: ReadTransaction,
): Promise<void> {
  let checksum = 0;
  const write = async (bytes: Buffer) => {
    checksum = crc32(bytes, checksum);
    await file.write(bytes);
  };
  for (const table of TABLES) {
    for (let records = piece(lmdb, transaction, firstKey(table)); records.length > 0; ) {
      await write(
        Buffer.concat(records.flatMap(({ key, value }) => [u32(value.length), key, value])),
      );
      records = piece(lmdb, transaction, records.at(-1)!.key);
    }
  }
  await file.write(u32(checksum));
}

/** A name is on the disk only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The records of one table behind `after`, as many as may be read at a time. */
function piece(lmdb: Lmdb, transaction: ReadTransaction, after: Uint8Array): RawRecord[] {
  return [
    ...lmdb.getRange({
      start: after,
      exclusiveStart: true,
      end: firstKey(after[0]! + 1),
      limit: PIECE,
      transaction,
    }),
  ];
}

/** Before every key of `table`, which none is. */
function firstKey(table: number): Buffer {
  return Buffer.from([table]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
