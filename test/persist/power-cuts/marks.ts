import type { RestorePoint } from '../../../persist/restore-point.ts';
import type { Records } from './record-digests.ts';

/** What is to outlive a power cut: nothing, everything, or what some connections have. */
export const LEVELS = ['process', 'power', 'some power'] as const;

export type Level = (typeof LEVELS)[number];

/** What a life says of itself, a line of JSON each. */
export type Mark =
  /** It goes on from here. */
  | { readonly opened: number; readonly from: RestorePoint['from']; readonly records: Records }
  /** What the turn that is about to be committed changes; null deletes. */
  | { readonly turn: number; readonly changes: Readonly<Record<string, string | null>> }
  /** What was promised up to this turn holds in spite of any power cut. */
  | { readonly synced: number };

/** What was promised when the power was cut, by the marks up to then. */
export class Promises {
  #records = new Map<string, string>();
  #opened = 0;
  readonly #turns = new Map<number, Readonly<Record<string, string | null>>>();
  #synced = 0;
  #isRestored = false;

  constructor(marks: Iterable<Mark>) {
    for (const mark of marks) this.#hear(mark);
  }

  /** The newest turn that a power cut may not take away; 0: none. */
  get synced(): number {
    return this.#synced;
  }

  /** Whether anything was said before the power was cut. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The newest turn that may have been committed. */
  get last(): number {
    return Math.max(this.#opened, ...this.#turns.keys());
  }

  /** The records as of a turn; undefined: it is too old to be known. */
  recordsAt(turn: number): Records | undefined {
    if (turn < this.#opened) return undefined;
    const records = new Map(this.#records);
    const turns = [...this.#turns].filter(([number]) => number <= turn);
    for (const [, changes] of turns.sort(([a], [b]) => a - b)) {
      for (const [key, digest] of Object.entries(changes)) {
        if (digest === null) records.delete(key);
        else records.set(key, digest);
      }
    }
    return Object.fromEntries(records);
  }

  #hear(mark: Mark): void {
    if ('synced' in mark) this.#synced = Math.max(this.#synced, mark.synced);
    else if ('turn' in mark) this.#turns.set(mark.turn, mark.changes);
    else this.#open(mark);
  }

  /** An engine after the first goes on where the one before was, and what that one had only begun is begun anew. */
  #open({ opened, records }: Extract<Mark, { opened: number }>): void {
    if (!this.#isRestored) {
      this.#isRestored = true;
      this.#opened = opened;
      this.#records = new Map(Object.entries(records));
    }
    for (const turn of this.#turns.keys()) if (turn > opened) this.#turns.delete(turn);
  }
}
