import { monotonicNow } from './clock.ts';

/** From the end of one to the beginning of the next, in milliseconds. */
const SHORTEST_PAUSE = 10_000;
/** Of the time, at the most: the engine's and the disk's together. */
const LARGEST_SHARE = 0.02;

/** Has snapshots made while the store changes: the first at once, the next ones now and then. */
export class SnapshotSchedule {
  readonly #make: () => Promise<void>;
  readonly #onFailure: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #making: Promise<void> | undefined;
  #isDue = false;
  #pause = 0;

  /** @param onFailure called when one could not be made: the one before it still counts, and the next will be tried */
  constructor(make: () => Promise<void>, onFailure: (error: Error) => void) {
    this.#make = make;
    this.#onFailure = onFailure;
  }

  /** The store has changed. */
  changed(): void {
    this.#isDue = true;
    if (this.#making !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#begin(), this.#pause).unref();
  }

  /** Begins no other, and resolves when the one under way has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#making;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    this.#timer = undefined;
    this.#isDue = false;
    this.#making = this.#run().finally(() => {
      this.#making = undefined;
      if (this.#isDue) this.changed();
    });
  }

  async #run(): Promise<void> {
    const begun = monotonicNow();
    try {
      await this.#make();
    } catch (error) {
      this.#isDue = true;
      this.#onFailure(error as Error);
    }
    this.#pause = Math.max(SHORTEST_PAUSE, (monotonicNow() - begun) / LARGEST_SHARE);
  }
}
