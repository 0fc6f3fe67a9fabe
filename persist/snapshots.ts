import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_LENGTH, putKey, SNAPSHOT_FILE, UNFINISHED_SNAPSHOT_FILE } from './layout.ts';
import type { Lmdb } from './lmdb.ts';
import { entryOf } from './snapshot.ts';
import { SectionWriter } from './snapshot-section.ts';
import { Table } from './table.ts';

/** Sockets and directories: what means something without the bytes of any stream, and without the mount. All have index 0. */
const TABLES: readonly Table[] = [Table.connection, Table.node, Table.udpSocket];

/** How many records are read between two waits for the disk, in less than a millisecond: the turns go on meanwhile. */
const PIECE = 128;
/** How many may be left to be read at once. */
const AT_ONCE = 512;
/** How often what has changed meanwhile is read in pieces, if it does not become less: then it is read at once. */
const ROUNDS = 4;
/** Bytes of the file that never make it worth while to begin it anew. */
const SHORT = 2 ** 20;

type Changed = ReadonlyMap<Table, Set<number>>;

/**
 * Keeps the newest snapshot in a file: first of all records, then, in a section each, of those that have changed since. When the
 * changes have become longer than what they change, a new file takes the place of the old one, once it is whole and on the disk.
 *
 * Turns go on while a section is written, and nothing is done to hold them back: no page of LMDB is kept from being used again. So what is read
 * first is not of one turn; but then what has changed meanwhile is read, until it is little enough to be read between two
 * turns. With that, the section is of the turn that comes before.
 */
export class Snapshots {
  readonly #directory: string;
  readonly #lmdb: Lmdb;
  readonly #bringUpToDate: () => void;
  /** Of this engine; what has changed since an earlier one's nobody knows. */
  #file: FileHandle | undefined;
  /** Bytes of its first section, and of all. */
  #first = 0;
  #length = 0;
  /** By table, the ids of records that the file does not have as they are; undefined: it has none. */
  #changed: Changed | undefined;

  /** @param bringUpToDate makes LMDB have the last committed turn */
  constructor(directory: string, lmdb: Lmdb, bringUpToDate: () => void) {
    this.#directory = directory;
    this.#lmdb = lmdb;
    this.#bringUpToDate = bringUpToDate;
  }

  /** A record is changed by the turn that is about to be committed. */
  note(table: Table, id: number): void {
    this.#changed?.get(table)?.add(id);
  }

  /**
   * Makes one of the last committed turn, or of a later one. Not to be called again before it has resolved.
   * @throws Error the disk's: the one before counts
   */
  async make(): Promise<void> {
    const isShort = this.#length <= 2 * this.#first + SHORT;
    const file = isShort ? this.#file : undefined;
    try {
      if (file === undefined) await this.#makeAnew();
      else await this.#append(file);
    } catch (error) {
      // What it has of the changes is not certain.
      await this.close();
      throw error;
    }
  }

  /** What changes from now on is not noted: the next one is made of all records. */
  async close(): Promise<void> {
    this.#changed = undefined;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #makeAnew(): Promise<void> {
    await this.close();
    const unfinished = join(this.#directory, UNFINISHED_SNAPSHOT_FILE);
    try {
      this.#file = await open(unfinished, 'w', 0o600);
      const section = new SectionWriter(this.#file, 0);
      this.#bringUpToDate();
      this.#changed = noChanges();
      for (const table of TABLES) await this.#writeTable(section, table);
      await this.#writeChanges(section);
      this.#first = section.end;
      this.#length = section.end;
    } catch (error) {
      // The disk may be full, and others need the room.
      await rm(unfinished, { force: true });
      throw error;
    }
    await rename(unfinished, join(this.#directory, SNAPSHOT_FILE));
    await syncDirectory(this.#directory);
  }

  async #append(file: FileHandle): Promise<void> {
    const section = new SectionWriter(file, this.#length);
    await this.#writeChanges(section);
    this.#length = section.end;
  }

  async #writeTable(section: SectionWriter, table: Table): Promise<void> {
    for (let after: Uint8Array = firstKey(table); ; ) {
      const end = firstKey(table + 1);
      const range = { start: after, exclusiveStart: true, end, limit: PIECE };
      const records = [...this.#lmdb.getRange(range)];
      if (records.length === 0) return;
      await section.write(Buffer.concat(records.map(({ key, value }) => entryOf(key, value))));
      after = records.at(-1)!.key;
    }
  }

  /** @throws Error the disk's: the section may count or not */
  async #writeChanges(section: SectionWriter): Promise<void> {
    for (let round = 0; ; round++) {
      this.#bringUpToDate();
      const changes = [...this.#changed!].flatMap(([table, ids]) =>
        [...ids].map((id) => ({ table, id })),
      );
      this.#changed = noChanges();
      if (changes.length <= AT_ONCE || round === ROUNDS) {
        const now = [...changes.map((change) => this.#entry(change)), ...this.#ofTheStore()];
        await section.write(Buffer.concat(now));
        await section.finish();
        return;
      }
      for (let at = 0; at < changes.length; at += PIECE) {
        const piece = changes.slice(at, at + PIECE);
        await section.write(Buffer.concat(piece.map((change) => this.#entry(change))));
      }
    }
  }

  #entry({ table, id }: { readonly table: Table; readonly id: number }): Buffer {
    const key = Buffer.alloc(KEY_LENGTH);
    putKey(new DataView(key.buffer, key.byteOffset, KEY_LENGTH), 0, table, id, 0);
    return entryOf(key, this.#lmdb.get(key));
  }

  /** The facts, which say the turn, and how records are written. */
  #ofTheStore(): Buffer[] {
    const range = { start: firstKey(Table.store), end: firstKey(Table.store + 1) };
    return [...this.#lmdb.getRange(range)].map(({ key, value }) => entryOf(key, value));
  }
}

function noChanges(): Changed {
  return new Map(TABLES.map((table) => [table, new Set()]));
}

/** Before every key of `table`, which none is. */
function firstKey(table: number): Buffer {
  return Buffer.from([table]);
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
