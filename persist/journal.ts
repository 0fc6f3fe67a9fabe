import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readBootId } from './boot-id.ts';
import { Checkpoints } from './checkpoint.ts';
import { monotonicNow } from './clock.ts';
import { DataFileDamage, restoreMetas } from './data-file.ts';
import { Facts } from './facts.ts';
import {
  CHECKSUM_LENGTH,
  DATA_FILE,
  getU64,
  KEY_LENGTH,
  LMDB_LOCK_FILE,
  putKey,
  README,
  README_FILE,
  UNFINISHED_TURN_FILE,
} from './layout.ts';
import { type Lmdb, MAP_SIZE, openLmdb, syncToDisk } from './lmdb.ts';
import { checkFacts, checkRecord, checkStore, expectedState, lengthOf } from './store-check.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { LOCK_FILE } from './store-lock.ts';
import { Table } from './table.ts';
import { type Durability, TurnFile } from './turn-file.ts';

export interface JournalOptions {
  /** What `durable` outlives: any death of the process, or a power cut too. */
  readonly durability?: Durability;
  /** Address space for data.mdb, in bytes. When it grows beyond, it is mapped anew. */
  readonly mapSize?: number;
  /**
   * Whether to read and check all of the store first: true if not given. An engine that succeeds one that was killed
   * need not.
   */
  readonly check?: boolean;
}

export interface JournalRecord {
  readonly id: number;
  readonly index: number;
  readonly value: Uint8Array;
}

/** A value that lies elsewhere until the commit copies it: it must not change before. */
export interface RecordSource {
  /** In bytes. */
  readonly length: number;
  /** Writes the value to target[at ...]. */
  copyTo(target: Uint8Array, at: number): void;
}

/** A change that waits for the commit; `value` undefined deletes. */
interface Staged {
  table: Table;
  id: number;
  index: number;
  value: Uint8Array | RecordSource | undefined;
}

const SMALLEST_SCRATCH = 65_536;

/** The store: changes are staged, and one commit makes all of a turn's changes durable, or none. */
export class Journal {
  /** The store's facts. What is set here is staged too. */
  readonly facts: Facts;
  /** Called when `durable` grew later than in `commit` itself: with durability `power`. */
  onDurable: () => void = () => {};

  readonly #directory: string;
  readonly #lmdb: Lmdb;
  /** Only with durability `power`. */
  readonly #checkpoints: Checkpoints | undefined;
  #checkpointing: Promise<void> | undefined;
  readonly #turnFile: TurnFile;
  readonly #bootId = readBootId();
  #turn: number;
  #durable: number;
  /** In the order of the calls; beyond `#count`, objects to be used again. */
  readonly #staged: Staged[] = [];
  #count = 0;
  /** A key and behind it a payload. */
  #scratch = Buffer.allocUnsafeSlow(SMALLEST_SCRATCH);
  #scratchView = new DataView(this.#scratch.buffer);
  readonly #key = Buffer.allocUnsafeSlow(KEY_LENGTH);
  readonly #apply = (): void => this.#writeStaged();

  /**
   * Opens the store, and makes it if the directory is missing or empty.
   * @throws StoreError when it cannot be used; nothing was changed then
   */
  static open(directory: string, options: JournalOptions = {}): Journal {
    const turnFile = TurnFile.open(directory) ?? createStore(directory);
    try {
      return new Journal(directory, turnFile, options);
    } catch (error) {
      turnFile.close();
      if (error instanceof StoreError) throw error;
      throw new StoreError(`cannot use the store ${directory}: ${messageOf(error)}`);
    }
  }

  private constructor(directory: string, turnFile: TurnFile, options: JournalOptions) {
    this.#directory = directory;
    this.#turnFile = turnFile;
    const isNew = turnFile.turn === 0;
    const expected = isNew ? undefined : expectedState(directory, turnFile);
    if (expected === undefined) removeData(directory);
    else if (options.check ?? true) checkStore(directory, expected);
    if (expected?.metas) restoreCheckpoint(directory, expected.metas);
    this.#lmdb = openLmdb(directory, options.mapSize ?? MAP_SIZE);
    this.facts = this.#readFacts();
    if (expected !== undefined) checkFacts(directory, this.facts, expected);
    this.#turn = this.facts.turn + 1;
    this.#durable = this.facts.turn;
    turnFile.durability = options.durability ?? 'process';
    turnFile.closed = false;
    turnFile.bootId = this.#bootId;
    turnFile.dataLength = lengthOf(join(directory, DATA_FILE));
    turnFile.write(this.#durable);
    turnFile.sync();
    if (isNew) this.commit();
    if (turnFile.durability === 'power') {
      this.#checkpoints = new Checkpoints(directory, this.#lmdb);
      this.#checkpoints.makeNow(this.#turn - 1);
    }
  }

  /** The turn that is being staged. */
  get turn(): number {
    return this.#turn;
  }

  /** The newest turn whose outputs may become visible. */
  get durable(): number {
    return this.#durable;
  }

  /** Stages a record. Its bytes must stay as they are until the commit; of several for one key, the last one counts. */
  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    this.#stage(table, id, index, value);
  }

  /** Stages that there is no such record. */
  delete(table: Table, id: number, index: number): void {
    this.#stage(table, id, index, undefined);
  }

  /**
   * The committed records of a table, in the order of (id, index). Their bytes are the caller's.
   * @throws StoreError at a record that is damaged
   */
  *scan(table: Table): Generator<JournalRecord> {
    const start = Buffer.alloc(KEY_LENGTH, 0);
    const end = Buffer.alloc(KEY_LENGTH, 0);
    start[0] = table;
    end[0] = table + 1;
    for (const { key, value } of this.#lmdb.getRange({ start, end })) {
      const payload = this.#checked(key, value);
      const view = new DataView(key.buffer, key.byteOffset, KEY_LENGTH);
      yield { id: getU64(view, 1), index: view.getUint32(9), value: payload };
    }
  }

  /**
   * Makes the staged turn the last committed one, all of it or nothing. With nothing staged it does nothing.
   * @returns the number of the last committed turn; its outputs may leave when `durable` has reached it
   * @throws StoreError when the disk is full: all stays staged, and a later commit may succeed. What is staged must not
   *   change before
   */
  commit(): number {
    if (this.#count === 0 && !this.facts.changed) return this.#turn - 1;
    const turn = this.#turn;
    this.facts.stamp(turn, this.#bootId, monotonicNow(), Date.now());
    try {
      this.#lmdb.transactionSync(this.#apply);
    } catch (error) {
      throw new StoreError(`cannot write to the store ${this.#directory}: ${messageOf(error)}`);
    }
    this.#turnFile.write(turn);
    for (let i = 0; i < this.#count; i++) this.#staged[i]!.value = undefined;
    this.#count = 0;
    this.facts.changed = false;
    this.#turn = turn + 1;
    if (this.#checkpoints === undefined) this.#durable = turn;
    else if (this.#checkpointing === undefined) this.#makeCheckpoint(this.#checkpoints);
    return turn;
  }

  /** Waits until everything committed has reached the disk, and lets go of the store. What is only staged is lost. */
  async close(): Promise<void> {
    while (this.#checkpointing !== undefined) await this.#checkpointing;
    await syncToDisk(this.#lmdb);
    this.#checkpoints?.close();
    await this.#lmdb.close();
    this.#turnFile.sync();
    this.#turnFile.closed = true;
    this.#turnFile.dataLength = lengthOf(join(this.#directory, DATA_FILE));
    this.#turnFile.write(this.#turn - 1);
    this.#turnFile.sync();
    this.#turnFile.close();
  }

  /** A disk that fails to sync has lost what it was given: nobody catches this, and the engine stops. */
  #makeCheckpoint(checkpoints: Checkpoints): void {
    const turn = this.#turn - 1;
    this.#checkpointing = checkpoints.make(turn).then(() => {
      this.#checkpointing = undefined;
      this.#durable = turn;
      if (turn < this.#turn - 1) this.#makeCheckpoint(checkpoints);
      this.onDurable();
    });
  }

  #stage(table: Table, id: number, index: number, value: Staged['value']): void {
    const staged = this.#staged[this.#count];
    if (staged === undefined) this.#staged.push({ table, id, index, value });
    else {
      staged.table = table;
      staged.id = id;
      staged.index = index;
      staged.value = value;
    }
    this.#count += 1;
  }

  #writeStaged(): void {
    for (let i = 0; i < this.#count; i++) {
      const { table, id, index, value } = this.#staged[i]!;
      if (value === undefined) this.#remove(table, id, index);
      else this.#write(table, id, index, value);
    }
    this.#write(Table.store, 0, 0, this.facts.bytes);
  }

  /** lmdb copies the value into its page before `put` returns (mdb_put), so the scratch memory is free again at once. */
  #write(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    const length = KEY_LENGTH + value.length;
    if (length > this.#scratch.length) this.#growScratch(length);
    const scratch = this.#scratch;
    putKey(this.#scratchView, 0, table, id, index);
    scratch.copy(this.#key, 0, 0, KEY_LENGTH);
    if (value instanceof Uint8Array) scratch.set(value, KEY_LENGTH);
    else value.copyTo(scratch, KEY_LENGTH);
    // Key and payload lie together for one pass of the checksum, which then takes the place of the key's last bytes.
    const checksumAt = KEY_LENGTH - CHECKSUM_LENGTH;
    this.#scratchView.setUint32(checksumAt, crc32(scratch.subarray(0, length)));
    this.#lmdb.put(this.#key, scratch.subarray(checksumAt, length));
  }

  #remove(table: Table, id: number, index: number): void {
    putKey(this.#scratchView, 0, table, id, index);
    this.#scratch.copy(this.#key, 0, 0, KEY_LENGTH);
    this.#lmdb.remove(this.#key);
  }

  #growScratch(length: number): void {
    this.#scratch = Buffer.allocUnsafeSlow(2 ** (32 - Math.clz32(length - 1)));
    this.#scratchView = new DataView(this.#scratch.buffer);
  }

  #readFacts(): Facts {
    for (const { value } of this.scan(Table.store)) return new Facts(value);
    return new Facts();
  }

  #checked(key: Uint8Array, value: Uint8Array): Uint8Array {
    try {
      return checkRecord(key, value);
    } catch (error) {
      if (!(error instanceof DataFileDamage)) throw error;
      throw new StoreError(`the store ${this.#directory} is damaged: ${error.message}; ${REMEDY}`);
    }
  }
}

function createStore(directory: string): TurnFile {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const ours = [LOCK_FILE, README_FILE, UNFINISHED_TURN_FILE];
    const foreign = readdirSync(directory).find((name) => !ours.includes(name));
    if (foreign !== undefined)
      throw new StoreError(
        `${directory} is no store and holds ${foreign}; give --store an empty directory`,
      );
    writeFileSync(join(directory, README_FILE), README);
    return TurnFile.create(directory);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot make the store ${directory}: ${messageOf(error)}`);
  }
}

/** Nothing was ever committed: what a daemon left that died while it made the store goes. */
function removeData(directory: string): void {
  for (const name of [DATA_FILE, LMDB_LOCK_FILE]) rmSync(join(directory, name), { force: true });
}

/** Puts back the meta pages of a checkpoint. LMDB's lock file speaks of the later ones that are lost. */
function restoreCheckpoint(directory: string, metas: Buffer): void {
  restoreMetas(join(directory, DATA_FILE), metas);
  rmSync(join(directory, LMDB_LOCK_FILE), { force: true });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
