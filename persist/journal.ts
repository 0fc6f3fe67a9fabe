import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { DurabilityName } from '../tcp/durability.ts';
import { readBootId } from './boot-id.ts';
import type { Change } from './change.ts';
import { checkRecord } from './check-record.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { monotonicNow } from './clock.ts';
import { describeAllFields } from './connection-fields.ts';
import { DataFileDamage, restoreMetas, transactionOf } from './data-file.ts';
import { DataSync } from './data-sync.ts';
import { Facts } from './facts.ts';
import {
  CHECKPOINT_FILES,
  CHECKSUM_LENGTH,
  DATA_FILE,
  getU64,
  KEY_LENGTH,
  LAYOUT_VERSION,
  LMDB_LOCK_FILE,
  putKey,
  README,
  README_FILE,
  UNFINISHED_TURN_FILE,
} from './layout.ts';
import { type Lmdb, MAP_SIZE, openLmdb } from './lmdb.ts';
import type { RecordSource, RecordStore, StoredRecord } from './record-store.ts';
import { RecordsInMemory } from './records-in-memory.ts';
import { RedoLog } from './redo-log.ts';
import { RESERVE_LENGTH, Reserve } from './reserve.ts';
import { type RestorePoint, restorePoint } from './restore-point.ts';
import { rollback } from './rollback.ts';
import { GROWTH, SavePoints } from './save-points.ts';
import type { RawRecord } from './snapshot.ts';
import { checkFacts, checkStore, lengthOf } from './store-check.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { LOCK_FILE } from './store-lock.ts';
import { StoreRecord, Table } from './table.ts';
import { TurnFile } from './turn-file.ts';
import { type Transactions, unwritten } from './unwritten.ts';
import { upgrade } from './upgrade.ts';
import { withChanges } from './with-changes.ts';
import { type Standing, Witness } from './witness.ts';

export interface JournalOptions {
  /** What the store has to outlive at first: see `durability`. */
  readonly durability?: DurabilityName;
  /** Address space for data.mdb, in bytes. When it grows beyond, it is mapped anew. */
  readonly mapSize?: number;
  /**
   * Whether to read and check all of the store first: true if not given. An engine that succeeds one that was killed
   * need not.
   */
  readonly check?: boolean;
  /** The path of the file beside the store that knows how far it has come; none if not given. */
  readonly witness?: string;
  /** Whether to open a store all the same that is not as its witness knows it: see `isRolledBack`. */
  readonly acceptRollback?: boolean;
  /** Whether to use of the store only what was saved for a death of the host. */
  readonly afterCrash?: boolean;
  /** Bytes of the disk that are kept for when it is full; `RESERVE_LENGTH` if not given. */
  readonly reserve?: number;
  /** Whether commits are written at all; if not, the store stays as it was opened, and nothing outlives the process. */
  readonly isWritten?: boolean;
}

const SMALLEST_SCRATCH = 65_536;

const PAGE = 4096;
/** Those that lead to the records, and the list of free ones. */
const PAGES_OF_A_COMMIT = 8;

/** More connections than can have been made in turns that a death of the host took away. */
const LOST_IDS = 2 ** 20;
/** More turns than that: no number stands for two of them, which the witness would take for one. */
const LOST_TURNS = 2 ** 32;

/** The store: changes are staged, and one commit makes all of a turn's changes durable, or none. */
export class Journal implements RecordStore {
  /** The store's facts. What is set here is staged too. */
  readonly facts: Facts;
  /** Where the store as it was opened came from; with the host gone down, from what was saved of it. */
  readonly restoredFrom: RestorePoint['from'];

  /**
   * What is in the store may be older than what was promised, and that has been accepted: with the first commit, all
   * connections have to end.
   */
  readonly isRolledBack: boolean;

  readonly #directory: string;
  readonly #lmdb: Lmdb;
  /** What commits are written to: LMDB, unless nothing is to be kept. */
  readonly #transactions: Transactions;
  /** What has been committed and LMDB does not have yet. */
  readonly #redo: RedoLog;
  readonly #sync: DataSync;
  readonly #savePoints: SavePoints;
  /** What a death of the host has left is committed, if there was one. */
  #isSalvaged: boolean;
  /** The turn file says on the disk too that the store is in use. */
  #isUseNoted = false;
  readonly #turnFile: TurnFile;
  readonly #witness: Witness | undefined;
  /** What a death of the host cannot take away, as far as was known when the store was opened. */
  #synced = 0;
  /** After a rollback that was accepted: whether store and witness have another lineage, and whether on the disk too. */
  #lineage: 'on the disk' | 'staged' | 'committed' = 'on the disk';
  readonly #reserve: Reserve;
  readonly #bootId = readBootId();
  #turn: number;
  #lastTurn: number;
  /** Bytes of the pages that the commit under way may take. */
  #written = 0;
  /** Waits for the commit, in the order of the calls. */
  #staged: Change[] = [];
  /** A key and behind it a payload. */
  #scratch = Buffer.allocUnsafeSlow(SMALLEST_SCRATCH);
  #scratchView = new DataView(this.#scratch.buffer);
  readonly #key = Buffer.allocUnsafeSlow(KEY_LENGTH);
  /** The records as the first commit will make them, when the store has another layout. */
  #upgraded: RecordsInMemory | undefined;

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
    const point = restorePoint(directory, turnFile, options.afterCrash);
    const { expected, snapshot } = point;
    this.restoredFrom = point.from;
    const isDoubtful = point.from === 'last turn' && turnFile.isDoubtful;
    if (expected === undefined) removeData(directory);
    else if (options.check ?? true) checkStore(directory, expected);
    if (expected?.metas) restoreCheckpoint(directory, expected.metas);
    this.#lmdb = openLmdb(directory, options.mapSize ?? MAP_SIZE);
    const isWritten = options.isWritten ?? true;
    this.#transactions = isWritten ? this.#lmdb : unwritten();
    if (snapshot !== undefined) this.#fill(snapshot.records);
    const redone = expected?.redo?.changesAfter(this.#storedTurn()) ?? [];
    this.#redo = new RedoLog(directory, redone, isWritten);
    this.facts = this.#readFacts();
    if (expected !== undefined) checkFacts(directory, this.facts, expected);
    if (this.facts.turn > 0) this.#stageUpgrade();
    this.#witness = options.witness === undefined ? undefined : new Witness(options.witness);
    this.isRolledBack = this.#hearWitness(options.acceptRollback ?? false);
    if (this.hostWentDown) this.facts.nextId += LOST_IDS;
    this.#lastTurn = this.facts.turn;
    this.#turn = this.#lastTurn + 1 + (this.hostWentDown ? LOST_TURNS : 0);
    this.#reserve = new Reserve(directory, options.reserve ?? RESERVE_LENGTH);
    this.#isSalvaged = !this.hostWentDown;
    turnFile.isDoubtful = isDoubtful;
    if (this.facts.turn === 0) {
      describeAllFields(this);
      this.commit();
    }
    this.#sync = new DataSync(
      join(directory, DATA_FILE),
      this.#lmdb,
      isDoubtful,
      (isDoubtful) => this.#noteDoubt(isDoubtful),
      () => syncedTransaction(directory),
    );
    this.#savePoints = new SavePoints(
      directory,
      this.#lmdb,
      this.#sync,
      () => this.#syncLineage(),
      () => this.#emptyRedo(),
      this.#storedTurn(),
      options.durability ?? 'process',
    );
    this.#prepareToWrite();
  }

  /** While there is time. If the disk fails, the first commit tries again, and says so. */
  #prepareToWrite(): void {
    try {
      this.#allowWrite();
    } catch (error) {
      if (error instanceof DataFileDamage) throw this.#damage(error);
    }
  }

  /**
   * A store that was closed is used as it was left, whatever is saved of it. When it is not closed any more, all of it has to be saved.
   * @throws Error the disk's: nothing may be written yet
   */
  #allowWrite(): void {
    this.#savePoints?.allowWrite();
    if (this.#isUseNoted) return;
    this.#useTurnFile();
    if (this.#isSalvaged) {
      this.#turnFile.write(this.#lastTurn);
      this.#turnFile.sync();
    }
    this.#isUseNoted = true;
  }

  /** Before a checkpoint of it counts: a death of the host would leave a store that its witness does not know. */
  #syncLineage(): void {
    if (this.#lineage !== 'committed') return;
    this.#witness?.sync();
    this.#lineage = 'on the disk';
  }

  /** A later engine of this boot has to know. One that puts back what a death of the host has left does all of it again. */
  #noteDoubt(isDoubtful: boolean): void {
    this.#turnFile.isDoubtful = isDoubtful;
    if (this.#isSalvaged) this.#turnFile.write(this.#turnFile.turn);
  }

  /**
   * What says that the store is in use: from the first write on, for a later engine of this boot goes on from there. But what is
   * saved after a death of the host is to be made use of from the beginning until all of that is committed, and
   * so this is said only after the first commit then.
   */
  #useTurnFile(): void {
    const turnFile = this.#turnFile;
    turnFile.closed = false;
    turnFile.bootId = this.#bootId;
    turnFile.dataLength = lengthOf(join(this.#directory, DATA_FILE));
  }

  /**
   * Whether the host has gone down since the store was last in use: then the connections in it may be older than what
   * their peers have seen, but for those with durability `power`.
   */
  get hostWentDown(): boolean {
    return this.restoredFrom === 'checkpoint' || this.restoredFrom === 'snapshot';
  }

  /** The turn that is being staged. */
  get turn(): number {
    return this.#turn;
  }

  /** The newest turn that outlives every death of the process: the last committed one. */
  get durable(): number {
    return this.#lastTurn;
  }

  /** The newest turn that outlives a death of the host too, as far as `sync` has asked. */
  get synced(): number {
    return this.#savePoints.synced;
  }

  /** Asks that all turns committed so far reach the disk. For durability `power`. */
  sync(): void {
    this.#savePoints.sync();
  }

  /**
   * Whether there may be another commit. Pages are not used again before a checkpoint is complete, so the store grows by all that is
   * written meanwhile; when that is too much, whoever commits should wait until `onSynced`.
   */
  get canGrow(): boolean {
    return this.#savePoints.growth < GROWTH;
  }

  /** Whether the disk has failed to sync, and has not succeeded since. */
  get isFailing(): boolean {
    return this.#savePoints.isFailing;
  }

  /** Whether anything in the store is to outlive a death of the host. Said before the turn from which on it is so. */
  set durability(durability: DurabilityName) {
    this.#savePoints.durability = durability;
  }

  /** Called when `synced` has grown. */
  set onSynced(onSynced: () => void) {
    this.#savePoints.onSynced = onSynced;
  }

  /** Called when nothing could be saved for a death of the host; it will be tried again. */
  set onSaveFailure(onFailure: (error: Error) => void) {
    this.#savePoints.onFailure = onFailure;
  }

  /**
   * Whether the disk has room for more than small records. When a commit has needed the reserve, it has not, until
   * `regainRoom` finds some.
   */
  get hasRoom(): boolean {
    return this.#reserve.isHeld;
  }

  /** Looks whether there is room again. It writes the reserve: once in a while will do. */
  regainRoom(): boolean {
    return this.#reserve.renew();
  }

  /**
   * Whether an engine that comes after this one may find that bytes which the records have as read were not, and then has them sent
   * again: meanwhile nobody else may acknowledge them. It counts from the next commit on, and ends at once.
   */
  set isTentative(isTentative: boolean) {
    const turnFile = this.#turnFile;
    if (turnFile.isTentative === isTentative) return;
    turnFile.isTentative = isTentative;
    if (isTentative || !this.#isSalvaged || !this.#isWritten) return;
    try {
      turnFile.write(turnFile.turn);
    } catch {
      // Then it goes on to say so, and is written again when this is asked for again.
      turnFile.isTentative = true;
    }
  }

  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    this.#staged.push({ table, id, index, value });
  }

  delete(table: Table, id: number, index: number): void {
    this.#staged.push({ table, id, index, value: undefined });
  }

  /** @throws StoreError at a record that is damaged */
  scan(table: Table): Iterable<StoredRecord> {
    return this.#upgraded === undefined ? this.#committed(table) : this.#upgraded.scan(table);
  }

  #committed(table: Table): Iterable<StoredRecord> {
    const stored = this.#stored(table);
    if (this.#redo.isEmpty) return stored;
    const changes = [...this.#redo.changes()].filter((change) => change.table === table);
    return withChanges(stored, changes);
  }

  /** What LMDB has. */
  *#stored(table: Table): Generator<StoredRecord> {
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
   * @throws StoreError when the disk fails, or is full and the reserve used up: all stays staged, and a later commit may
   *   succeed. What is staged must not change before
   */
  commit(): number {
    if (this.#staged.length === 0 && !this.facts.changed) return this.#lastTurn;
    const turn = this.#turn;
    this.facts.stamp(turn, this.#bootId, monotonicNow(), Date.now());
    try {
      this.#allowWrite();
      this.#write(turn);
      if (this.#isWritten) this.#noteTurn(turn);
    } catch (error) {
      if (error instanceof UnusableEnvironment || error instanceof DataFileDamage) throw error;
      throw new StoreError(`cannot write to the store ${this.#directory}: ${messageOf(error)}`);
    }
    this.#isSalvaged = true;
    if (this.#upgraded !== undefined) this.#endUpgrade();
    for (const { table, id } of this.#staged) this.#savePoints?.note(table, id);
    this.#staged = [];
    this.facts.changed = false;
    this.#lastTurn = turn;
    this.#turn = turn + 1;
    if (this.#isWritten) this.#savePoints?.committed(turn, this.#takeWritten());
    return turn;
  }

  /** A small turn is logged. But what the disk has to keep is LMDB's alone, and what is not small would be written twice. */
  #write(turn: number): void {
    const changes = [...this.#staged, this.facts.change];
    const mayLog = this.#savePoints?.durability === 'process';
    if (!mayLog || !this.#redo.append(turn, changes)) this.#transact(changes);
  }

  /**
   * Brings LMDB to the last committed turn.
   * @returns bytes written, at the most
   * @throws Error the disk's
   */
  #emptyRedo(): number {
    if (!this.#redo.isEmpty) {
      this.#allowWrite();
      this.#transact([]);
    }
    return this.#takeWritten();
  }

  #takeWritten(): number {
    const written = this.#written;
    this.#written = 0;
    return written;
  }

  get #isWritten(): boolean {
    return this.#transactions === this.#lmdb;
  }

  /**
   * Outside LMDB: how far the store has come. If that fails, LMDB knows of the turn already; the commit that tries again only writes
   * it once more.
   */
  #noteTurn(turn: number): void {
    this.#witness?.write(this.#standing(turn));
    if (this.#lineage === 'staged') this.#lineage = 'committed';
    this.#turnFile.layoutVersion = LAYOUT_VERSION;
    this.#turnFile.hasCheckpoint = this.#savePoints?.hasCheckpoint ?? false;
    this.#turnFile.write(turn);
  }

  /** Waits until everything committed has reached the disk, and lets go of the store. What is only staged is lost. */
  async close(): Promise<void> {
    await this.#savePoints.close();
    this.#emptyRedo();
    await this.#sync.later();
    await this.#lmdb.close();
    if (this.#isSalvaged && this.#isWritten) this.#noteClosing();
    this.#turnFile.close();
    this.#redo.close();
    this.#reserve.close();
  }

  #noteClosing(): void {
    this.#witness?.close();
    this.#turnFile.sync();
    this.#turnFile.closed = true;
    this.#turnFile.dataLength = lengthOf(join(this.#directory, DATA_FILE));
    this.#turnFile.write(this.#lastTurn);
    this.#turnFile.sync();
  }

  #fill(records: readonly RawRecord[]): void {
    this.#lmdb.transactionSync(() => {
      for (const { key, value } of records) this.#lmdb.put(key, value);
    });
  }

  /**
   * @returns whether the store is not as its witness knows it
   * @throws StoreError if that was not accepted
   */
  #hearWitness(isAccepted: boolean): boolean {
    const witness = this.#witness;
    if (witness === undefined) return false;
    const { facts, restoredFrom } = this;
    const standing = witness.read();
    this.#synced = standing?.synced ?? 0;
    const problem = rollback(this.#directory, restoredFrom, facts, {
      path: witness.path,
      standing,
    });
    if (problem !== undefined && !isAccepted) throw problem;
    // What comes after this turn is not what came after it before.
    if (problem !== undefined || facts.lineage === 0) {
      facts.lineage = randomInt(1, 2 ** 32);
      this.#lineage = 'staged';
      this.#synced = 0;
    }
    if (standing === undefined || facts.turn === 0)
      witness.create({ lineage: facts.lineage, turn: 0, synced: 0 });
    return problem !== undefined;
  }

  #standing(turn: number): Standing {
    const savePoints = this.#savePoints as SavePoints | undefined;
    const synced = savePoints?.hasCheckpoint ? savePoints.synced : this.#synced;
    return { lineage: this.facts.lineage, turn, synced };
  }

  /**
   * Another layout becomes this program's with the first commit, in one transaction. Before it, the engine that has used
   * the store so far may take it up again, with the program that it was.
   */
  #stageUpgrade(): void {
    const upgraded = new RecordsInMemory({ scan: (table) => this.#committed(table) });
    upgrade(upgraded, this.facts.layoutVersion);
    upgraded.stageIn(this);
    const isOther = this.#staged.length > 0 || this.facts.layoutVersion !== LAYOUT_VERSION;
    this.facts.layoutVersion = LAYOUT_VERSION;
    if (isOther) this.#upgraded = upgraded;
  }

  #endUpgrade(): void {
    this.#upgraded = undefined;
    writeReadme(this.#directory);
  }

  /** In one transaction: what is in the redo log, and these changes. */
  #transact(changes: readonly Change[]): void {
    const apply = () => {
      this.#written = PAGES_OF_A_COMMIT * PAGE;
      for (const change of this.#redo.changes()) this.#apply(change);
      for (const change of changes) this.#apply(change);
    };
    for (;;) {
      try {
        this.#transactions.transactionSync(apply);
        break;
      } catch (error) {
        if (isUnusable(error)) throw new UnusableEnvironment(messageOf(error));
        if (!this.#reserve.release()) throw error;
      }
    }
    this.#redo.clear();
  }

  #apply({ table, id, index, value }: Change): void {
    if (value === undefined) this.#remove(table, id, index);
    else this.#put(table, id, index, value);
  }

  /** lmdb copies the value into its page before `put` returns (mdb_put), so the scratch memory is free again at once. */
  #put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    const length = KEY_LENGTH + value.length;
    this.#written += PAGE * Math.ceil(length / PAGE);
    if (length > this.#scratch.length) this.#growScratch(length);
    const scratch = this.#scratch;
    putKey(this.#scratchView, 0, table, id, index);
    scratch.copy(this.#key, 0, 0, KEY_LENGTH);
    if (value instanceof Uint8Array) scratch.set(value, KEY_LENGTH);
    else value.copyTo(scratch, KEY_LENGTH);
    // Key and payload lie together for one pass of the checksum, which then takes the place of the key's last bytes.
    const checksumAt = KEY_LENGTH - CHECKSUM_LENGTH;
    this.#scratchView.setUint32(checksumAt, crc32(scratch.subarray(0, length)));
    this.#transactions.put(this.#key, scratch.subarray(checksumAt, length));
  }

  #remove(table: Table, id: number, index: number): void {
    this.#written += PAGE;
    putKey(this.#scratchView, 0, table, id, index);
    this.#scratch.copy(this.#key, 0, 0, KEY_LENGTH);
    this.#transactions.remove(this.#key);
  }

  #growScratch(length: number): void {
    this.#scratch = Buffer.allocUnsafeSlow(2 ** (32 - Math.clz32(length - 1)));
    this.#scratchView = new DataView(this.#scratch.buffer);
  }

  /** That LMDB has. */
  #storedTurn(): number {
    return factsIn(this.#stored(Table.store)).turn;
  }

  #readFacts(): Facts {
    return factsIn(this.#committed(Table.store));
  }

  #checked(key: Uint8Array, value: Uint8Array): Uint8Array {
    try {
      return checkRecord(key, value);
    } catch (error) {
      if (!(error instanceof DataFileDamage)) throw error;
      throw this.#damage(error);
    }
  }

  #damage(error: DataFileDamage): StoreError {
    return new StoreError(`the store ${this.#directory} is damaged: ${error.message}; ${REMEDY}`);
  }
}

/** LMDB does not know what its meta page is, and does nothing more in this process. The next one will read it. */
class UnusableEnvironment extends Error {
  override name = 'UnusableEnvironment';
}

/** By its words, for the number that comes with them is not always LMDB's: a write began in an environment that has failed. */
function isUnusable(error: unknown): boolean {
  return /^(MDB_PANIC|Invalid argument)/.test(messageOf(error));
}

function factsIn(records: Iterable<StoredRecord>): Facts {
  for (const { index, value } of records) if (index === StoreRecord.facts) return new Facts(value);
  return new Facts();
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
    writeReadme(directory);
    return TurnFile.create(directory);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot make the store ${directory}: ${messageOf(error)}`);
  }
}

function writeReadme(directory: string): void {
  writeFileSync(join(directory, README_FILE), README);
}

/** A checkpoint is saved only when a sync has succeeded. */
function syncedTransaction(directory: string): number {
  const checkpoint = newestCheckpoint(directory);
  return checkpoint === undefined ? 0 : transactionOf(checkpoint.metas);
}

/** None of it is used: what a daemon left that died while it made the store, or what is older than the snapshot. */
function removeData(directory: string): void {
  for (const name of [DATA_FILE, LMDB_LOCK_FILE, ...CHECKPOINT_FILES])
    rmSync(join(directory, name), { force: true });
}

/** Puts back the meta pages of a checkpoint. LMDB's lock file speaks of the later ones that are lost. */
function restoreCheckpoint(directory: string, metas: Buffer): void {
  restoreMetas(join(directory, DATA_FILE), metas);
  rmSync(join(directory, LMDB_LOCK_FILE), { force: true });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
