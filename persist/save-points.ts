import type { DurabilityName } from '../tcp/durability.ts';
import { Checkpoints, newestCheckpoint } from './checkpoint.ts';
import type { Lmdb } from './lmdb.ts';
import { makeSnapshot } from './snapshot.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';

/**
 * What the host's death leaves of a store. As long as nothing in it is to outlive that, a snapshot now and then: it costs
 * little, and holds only what means something without the rest. Else checkpoints: all of the store as of one turn.
 */
export class SavePoints {
  /** Called when `synced` has grown. */
  onSynced: () => void = () => {};
  /** Called when no snapshot could be made; it will be tried again. */
  onFailure: (error: Error) => void = () => {};

  readonly #directory: string;
  readonly #lmdb: Lmdb;
  readonly #schedule: SnapshotSchedule;
  /** While any counts, or may soon: the newest keeps its pages from being used again. */
  #checkpoints: Checkpoints | undefined;
  #hasCheckpoint = false;
  #durability: DurabilityName;
  #checkpointing: Promise<void> | undefined;
  /** One is asked for that begins after the one under way. */
  #isWanted = false;
  #committed: number;
  #synced = 0;

  /** @param turn the last committed one */
  constructor(directory: string, lmdb: Lmdb, turn: number, durability: DurabilityName) {
    this.#directory = directory;
    this.#lmdb = lmdb;
    this.#committed = turn;
    this.#durability = durability;
    this.#schedule = new SnapshotSchedule(
      () => this.#make(),
      (error) => this.onFailure(error),
    );
    // The first write may use pages again that an older checkpoint speaks of.
    if (durability === 'power' || newestCheckpoint(directory) !== undefined) {
      this.#checkpoints = new Checkpoints(directory, lmdb);
      this.#checkpoints.makeNow(turn);
      this.#hasCheckpoint = true;
      this.#synced = turn;
    }
  }

  /** The newest turn that a death of the host cannot take away, as far as `sync` has asked. */
  get synced(): number {
    return this.#synced;
  }

  /** Whether there is a checkpoint that counts. */
  get hasCheckpoint(): boolean {
    return this.#hasCheckpoint;
  }

  /** What the store has to outlive from the last committed turn on. */
  set durability(durability: DurabilityName) {
    if (this.#durability === durability) return;
    this.#durability = durability;
    if (durability === 'power') this.#checkpoints ??= new Checkpoints(this.#directory, this.#lmdb);
    this.#schedule.changed();
  }

  committed(turn: number): void {
    this.#committed = turn;
    this.#schedule.changed();
  }

  /** Asks that all turns committed so far reach the disk: with durability `power`. */
  sync(): void {
    if (this.#synced === this.#committed) return;
    if (this.#checkpointing !== undefined) this.#isWanted = true;
    else this.#checkpointing = this.#checkpoint();
  }

  /** Leaves what is newest. */
  async close(): Promise<void> {
    await this.#schedule.stop();
    while (this.#checkpointing !== undefined) await this.#checkpointing;
    if (this.#durability === 'process') await this.#makeSnapshot();
    this.#checkpoints?.close();
  }

  async #make(): Promise<void> {
    if (this.#durability === 'process') await this.#makeSnapshot();
    else this.sync();
  }

  async #makeSnapshot(): Promise<void> {
    await makeSnapshot(this.#directory, this.#lmdb);
    await this.#checkpointing;
    if (this.#durability === 'power') return;
    this.#checkpoints?.discard();
    this.#checkpoints = undefined;
    this.#hasCheckpoint = false;
  }

  /** A disk that fails to sync has lost what it was given: nobody catches this, and the engine stops. */
  async #checkpoint(): Promise<void> {
    const turn = this.#committed;
    await this.#checkpoints!.make(turn);
    this.#checkpointing = undefined;
    this.#synced = turn;
    this.#hasCheckpoint = true;
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    if (isWanted) this.sync();
    this.onSynced();
  }
}
