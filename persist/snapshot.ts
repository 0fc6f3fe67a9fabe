import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { RecordError } from '../tcp/record-error.ts';
import { checkRecord } from './check-record.ts';
import { Facts } from './facts.ts';
import { CHECKSUM_LENGTH, isFacts, SNAPSHOT_FILE } from './layout.ts';
import { ENTRY_HEADER_LENGTH, ENTRY_KEY, entriesIn, GONE } from './record-entry.ts';
import { sectionsOf } from './snapshot-section.ts';
import { REMEDY, StoreError } from './store-error.ts';

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
  try {
    for (const section of sections) readSection(section, records);
  } catch (error) {
    throw error instanceof RecordError ? damage : error;
  }
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

/**
 * Changes `records`, by their keys, as a section says.
 * @throws RecordError when it says something else
 */
function readSection(bytes: Buffer, records: Map<string, RawRecord>): void {
  for (const { key, value } of entriesIn(bytes)) {
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
    if (value === undefined) records.delete(name);
    else records.set(name, { key, value });
  }
}

/** What a section says of a record; `value` undefined: that it is gone. */
export function entryOf(key: Uint8Array, value: Uint8Array | undefined): Buffer {
  const entry = Buffer.alloc(ENTRY_HEADER_LENGTH + (value?.length ?? 0));
  entry.writeUInt32BE(value?.length ?? GONE);
  entry.set(key, ENTRY_KEY);
  if (value !== undefined) entry.set(value, ENTRY_HEADER_LENGTH);
  return entry;
}
