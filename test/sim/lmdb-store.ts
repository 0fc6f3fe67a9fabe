import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../persist/journal.ts';
import type { EngineJournal, Store } from './store.ts';

/** Bytes: each copy writes them. */
const RESERVE = 4096;

/**
 * A real store. Where one engine dies the next finds its files as they are in that moment, in a copy: the dead engine's
 * environment stays open in this process, and its files are not touched again. A power cut is for `test/persist/power.test.ts`.
 */
export class LmdbStore implements Store {
  readonly unsynced = 0;
  readonly #directory: string;
  readonly #journals: Journal[] = [];

  /** @param directory where the stores of successive engines come to lie */
  constructor(directory: string) {
    this.#directory = directory;
  }

  open(): EngineJournal {
    const count = this.#journals.length;
    const directory = join(this.#directory, `${count}`);
    if (count > 0) cpSync(join(this.#directory, `${count - 1}`), directory, { recursive: true });
    const journal = Journal.open(directory, { reserve: RESERVE });
    this.#journals.push(journal);
    return journal;
  }

  sync(): void {}

  cutPower(): void {}

  async close(): Promise<void> {
    for (const journal of this.#journals) await journal.close();
  }
}
