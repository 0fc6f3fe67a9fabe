import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { checkRecord } from './check-record.ts';
import { Facts } from './facts.ts';
import { CHECKSUM_LENGTH, isFacts, KEY_LENGTH, SNAPSHOT_FILE } from './layout.ts';
import { sectionsOf } from './snapshot-section.ts';
import { REMEDY, StoreError } from './store-error.ts';

/** Before each key: how long the value behind it is. */
const LENGTH_LENGTH = 4;
/** Instead of a length: the record is gone. */
export const GONE = 2 ** 32 - 1;

/** A record as LMDB holds it. */
export interface RawRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * The records of a turn without the bytes of streams: what the host's death leaves of connections with durability `process`: their
 * names, and that they were. A checkpoint would leave all of them, but has to keep LMDB from using pages again for as long as it
 * counts.
 */
export interface Snapshot {
  readonly turn: number;
  readonly records: readonly RawRecord[];
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
  const sections = sectionsOf(bytes) ?? theOnlyOf(bytes);
  if (sections === undefined) throw damage;
  const records = new Map<string, RawRecord>();
  for (const section of sections) readSection(section, records);
  const facts = [...records.values()].find(({ key }) => isFacts(key));
  if (facts === undefined) throw damage;
  const { turn } = new Facts(checkRecord(facts.key, facts.value));
  return { turn, records: [...records.values()] };
}

/** Before layout 7 there were no sections, but all of the file and then its checksum. */
function theOnlyOf(bytes: Buffer): Buffer[] | undefined {
  const end = bytes.length - CHECKSUM_LENGTH;
  if (end < 0 || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
  return [bytes.subarray(0, end)];
}

/** Changes `records`, by their keys, as a section says. */
function readSection(bytes: Buffer, records: Map<string, RawRecord>): void {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const keyAt = at + LENGTH_LENGTH;
    const valueAt = keyAt + KEY_LENGTH;
    at = length === GONE ? valueAt : valueAt + length;
    const key = bytes.subarray(keyAt, valueAt);
    const name = key.toString('latin1');
    if (length === GONE) records.delete(name);
    else records.set(name, { key, value: bytes.subarray(valueAt, at) });
  }
}

/** What a section says of a record; `value` undefined: that it is gone. */
export function entryOf(key: Uint8Array, value: Uint8Array | undefined): Buffer {
  const entry = Buffer.alloc(LENGTH_LENGTH + KEY_LENGTH + (value?.length ?? 0));
  entry.writeUInt32BE(value?.length ?? GONE);
  entry.set(key, LENGTH_LENGTH);
  if (value !== undefined) entry.set(value, LENGTH_LENGTH + KEY_LENGTH);
  return entry;
}
