import type { DurabilityName } from '../tcp/durability.ts';
import { Checkpoints, newestCheckpoint } from './checkpoint.ts';
import { DataFileDamage } from './data-file.ts';
import type { DataSync } from './data-sync.ts';
import type { Lmdb } from './lmdb.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import { Snapshots } from './snapshots.ts';
import type { Table } from './table.ts';

/** Bytes that the store may grow by while a checkpoint is on its way to the disk. */
export const GROWTH = 64 * 2 ** 20;

/** When to try again after the disk has failed to sync, in milliseconds. */
const RETRY_MILLISECONDS = 1000;

/**
 * What the host's death leaves of a store. As long as nothing in it is to outlive that, a snapshot now and then: it costs
 * little, and holds only what means something without the rest. Else checkpoints: all of the store as of one turn.
 */
export class SavePoints {
  /** Called when `synced` has grown. */
  onSynced: () => void = () => {};
  /** Called when the disk fails to sync; it will be tried again. */
  onFailure: (error: Error) => void = () => {};

  readonly #bringUpToDate: () => void;
  readonly #snapshots: Snapshots;
  readonly #schedule: SnapshotSchedule;
  readonly #checkpoints: Checkpoints;
  #hasCheckpoint = false;
  #isFailing = false;
  /** Before the first write there has to be one. */
  #isFirstDue: boolean;
  #durability: DurabilityName;
  #checkpointing: Promise<void> | undefined;
  /** One is asked for that begins after the one under way. */
  #isWanted = false;
  /** Runs while the disk is left alone after a failure. */
  #retry: NodeJS.Timeout | undefined;
  #committed: number;
  #synced = 0;
  /** Bytes, in all. */
  #written = 0;
  /** Those of them that the checkpoint which holds back pages knows of. */
  #covered = 0;

  /**
   * @param beforeCheckpoint has to have succeeded for a checkpoint to count
   * @param bringUpToDate makes LMDB have the last committed turn; returns the bytes it has written, at the most
   * @param turn that LMDB has
   */
  constructor(
    directory: string,
    lmdb: Lmdb,
    sync: DataSync,
    beforeCheckpoint: () => void,
    bringUpToDate: () => number,
    turn: number,
    durability: DurabilityName,
  ) {
    this.#bringUpToDate = () => {
      this.#written += bringUpToDate();
    };
    this.#snapshots = new Snapshots(directory, lmdb, this.#bringUpToDate);
    this.#committed = turn;
    this.#durability = durability;
    this.#schedule = new SnapshotSchedule(
      () => this.#make(),
      (error) => this.onFailure(error),
    );
    this.#isFirstDue = durability === 'power' || newestCheckpoint(directory) !== undefined;
    this.#checkpoints = new Checkpoints(directory, lmdb, sync, beforeCheckpoint);
  }

  /**
   * Before each write. The first one may use pages again that a checkpoint of an earlier engine speaks of, so there has to be a
   * newer one by then.
   * @throws Error the disk's: nothing may be written yet
   */
  allowWrite(): void {
    if (!this.#isFirstDue) return;
    this.#checkpoints.makeNow(this.#committed);
    this.#isFirstDue = false;
    this.#hasCheckpoint = true;
    this.#covered = this.#written;
    this.#synced = this.#committed;
  }

  /** The newest turn that a death of the host cannot take away, as far as `sync` has asked. */
  get synced(): number {
    return this.#synced;
  }

  /** Whether the disk has failed, and has not succeeded since. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Whether there is a checkpoint that counts. */
  get hasCheckpoint(): boolean {
    return this.#hasCheckpoint;
  }

  get durability(): DurabilityName {
    return this.#durability;
  }

  /** What the store has to outlive from the last committed turn on. */
  set durability(durability: DurabilityName) {
    if (this.#durability === durability) return;
    this.#durability = durability;
    this.#schedule.changed();
  }

  /** The turn that is about to be committed changes a record. */
  note(table: Table, id: number): void {
    this.#snapshots.note(table, id);
  }

  /** @param bytes that the turn has written, at the most */
  committed(turn: number, bytes: number): void {
    this.#committed = turn;
    this.#written += bytes;
    this.#schedule.changed();
    if (this.growth > GROWTH / 2) this.sync();
  }

  /** Bytes written since pages were last used again: what the store may have grown by. */
  get growth(): number {
    return this.#checkpoints.isHolding ? this.#written - this.#covered : 0;
  }

  /** Asks that all turns committed so far reach the disk: with durability `power`. */
  sync(): void {
    if (this.#synced === this.#committed) return;
    if (this.#checkpointing !== undefined || this.#retry !== undefined) this.#isWanted = true;
    else this.#checkpointing = this.#checkpoint();
  }

  /** Leaves what is newest, if the disk takes it: a store that is closed needs none of it. */
  async close(): Promise<void> {
    await this.#schedule.stop();
    while (this.#checkpointing !== undefined) await this.#checkpointing;
    clearTimeout(this.#retry);
    try {
      if (this.#durability === 'process') await this.#makeSnapshot();
    } catch (error) {
      this.onFailure(error as Error);
    }
    await this.#snapshots.close();
    this.#checkpoints.close();
  }

  async #make(): Promise<void> {
    if (this.#durability === 'process') {
      await this.#makeSnapshot();
    } else {
      await this.#snapshots.close();
      this.sync();
    }
  }

  async #makeSnapshot(): Promise<void> {
    await this.#snapshots.make();
    await this.#checkpointing;
    if (this.#durability === 'power') return;
    this.#checkpoints.discard();
    this.#hasCheckpoint = false;
  }

  async #checkpoint(): Promise<void> {
    const turn = this.#committed;
    let written = this.#written;
    try {
      this.#bringUpToDate();
      written = this.#written;
      if (!this.#checkpoints.isHolding) this.#covered = written;
      await this.#checkpoints.make(turn);
    } catch (error) {
      this.#checkpointing = undefined;
      // Nobody catches that, and the engine stops.
      if (error instanceof DataFileDamage) throw error;
      this.#retryLater(error as Error);
      return;
    }
    this.#checkpointing = undefined;
    this.#covered = written;
    this.#isFailing = false;
    this.#synced = turn;
    this.#hasCheckpoint = true;
    this.#goOn();
    this.onSynced();
  }

  #retryLater(error: Error): void {
    this.#isWanted = true;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#goOn();
    }, RETRY_MILLISECONDS).unref();
    if (!this.#isFailing) this.onFailure(error);
    this.#isFailing = true;
  }

  #goOn(): void {
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    if (isWanted) this.sync();
  }
}
