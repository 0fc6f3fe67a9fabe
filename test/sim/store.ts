import type { RecordStore } from '../../persist/record-store.ts';

/** An engine's journal, as far as the simulation needs it: `persist/journal.ts` is one, and `memory-store.ts` has another. */
export interface EngineJournal extends RecordStore {
  readonly facts: {
    /** The last committed turn. */
    readonly turn: number;
    nextId: number;
  };
  /** @returns the number of the last committed turn */
  commit(): number;
}

/** What of one host's journal outlives its engines. */
export interface Store {
  /** The journal for a new engine. What it finds is durable. */
  open(): EngineJournal;
  /** All turns up to `turn` have reached the disk. */
  sync(turn: number): void;
  /** How many committed turns have not. */
  readonly unsynced: number;
  /** The power fails: the newest `lost` of those never will. */
  cutPower(lost: number): void;
}
