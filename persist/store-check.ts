import { statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readBootId } from './boot-id.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { DataFileDamage, walkDataFile } from './data-file.ts';
import { Facts } from './facts.ts';
import { CHECKSUM_LENGTH, DATA_FILE, KEY_LENGTH, LAYOUT_VERSION, nameOfKey } from './layout.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { Table } from './table.ts';
import { otherLayout, type TurnFile } from './turn-file.ts';

/** The state a store must be in to be used. */
export interface ExpectedState {
  /** The facts' turn is one of these two or between them. */
  readonly firstTurn: number;
  readonly lastTurn: number;
  /** Bytes that data.mdb has at the least. */
  readonly leastLength: number;
  /** LMDB's meta pages to put back first: those in the file may speak of pages that a power cut took away. */
  readonly metas?: Buffer;
}

/**
 * Which state the store must be in, from what is known outside LMDB.
 *
 * While the host stays up, nothing is lost, and a daemon that died may have committed one turn more than it noted. When
 * the host went down with the store in use, the disk holds the last checkpoint for certain, and only with
 * durability `power`. With durability `process` it may hold an older state that looks intact, and to resume that
 * would be to break promises made to the peers. So it is refused.
 * @throws StoreError when there is no such state
 */
export function expectedState(directory: string, turnFile: TurnFile): ExpectedState {
  const { turn, dataLength: leastLength } = turnFile;
  if (turnFile.closed) return { firstTurn: turn, lastTurn: turn, leastLength };
  if (Buffer.compare(turnFile.bootId, readBootId()) === 0)
    return { firstTurn: turn, lastTurn: turn + 1, leastLength };
  if (turnFile.durability === 'process')
    throw new StoreError(
      `the host went down while the store ${directory} was in use with --durability process, and its disk may hold less than the peers were promised; ${REMEDY}`,
    );
  const checkpoint = newestCheckpoint(directory);
  if (checkpoint === undefined)
    throw new StoreError(`the store is damaged: ${directory} has no checkpoint; ${REMEDY}`);
  // A power cut may take away what the file had grown by since the checkpoint.
  return {
    firstTurn: checkpoint.turn,
    lastTurn: checkpoint.turn,
    leastLength: 0,
    metas: checkpoint.metas,
  };
}

/**
 * Reads every byte of the store's records and everything that leads to them, and changes nothing.
 * @returns how many records there are
 * @throws StoreError when anything is wrong, or the store is not in the state it must be in
 */
export function checkStore(directory: string, expected: ExpectedState): number {
  const path = join(directory, DATA_FILE);
  if (lengthOf(path) < expected.leastLength) throw damaged(path, 'it has been cut short');
  let facts: Facts | undefined;
  const visit = (key: Uint8Array, value: Uint8Array) => {
    const payload = checkRecord(key, value);
    if (key[0] === Table.store) facts = new Facts(payload);
  };
  let records: number;
  try {
    records = walkDataFile(path, visit, expected.metas);
  } catch (error) {
    if (error instanceof DataFileDamage) throw damaged(path, error.message);
    throw new StoreError(`cannot read the store: ${(error as Error).message}`);
  }
  if (facts === undefined) throw damaged(path, 'it holds no facts');
  checkFacts(directory, facts, expected);
  return records;
}

/** @throws StoreError when the facts are not those of the state that the store must be in */
export function checkFacts(directory: string, facts: Facts, expected: ExpectedState): void {
  const path = join(directory, DATA_FILE);
  const { layoutVersion, turn } = facts;
  if (layoutVersion !== LAYOUT_VERSION) throw new StoreError(otherLayout(path, layoutVersion));
  const { firstTurn, lastTurn } = expected;
  if (turn < firstTurn || turn > lastTurn)
    throw new StoreError(
      `the store is not as it was last left: ${path} is at turn ${turn} and should be at ${firstTurn}; ${REMEDY}`,
    );
}

/** Of a file, in bytes; 0 when there is none. */
export function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function damaged(path: string, what: string): StoreError {
  return new StoreError(`the store is damaged: ${path}: ${what}; ${REMEDY}`);
}

/**
 * What a record holds behind its checksum.
 * @throws DataFileDamage when they do not agree
 */
export function checkRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (key.length !== KEY_LENGTH) throw new DataFileDamage('a record has a wrong key');
  if (value.length < CHECKSUM_LENGTH) throw new DataFileDamage(`${nameOfKey(key)} is too short`);
  const checksum = new DataView(value.buffer, value.byteOffset).getUint32(0);
  const payload = value.subarray(CHECKSUM_LENGTH);
  if (crc32(payload, crc32(key)) !== checksum)
    throw new DataFileDamage(`the checksum of ${nameOfKey(key)} is wrong`);
  if (key[0] === Table.store && payload.length !== Facts.LENGTH)
    throw new DataFileDamage('the facts have a wrong length');
  return payload;
}
