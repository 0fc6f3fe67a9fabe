import type { StoredRecord } from '../../persist/record-store.ts';
import { Table } from '../../persist/table.ts';
import type { Stage } from '../stage.ts';
import { getU64, setU64 } from './u64.ts';

/** A record: the mount instance and the note, both u64. */
const SIZE = 16;

/** What blocked requests have already done (`Call.note`), journaled so that the next engine goes on from there. */
export class Notes {
  readonly #journal: Stage;
  readonly #instance: number;
  /** Notes of the engine before whose requests have not come again. */
  readonly #restored = new Map<number, number>();

  constructor(journal: Stage, instance: number) {
    this.#journal = journal;
    this.#instance = instance;
  }

  /** Takes in what the engine before journaled. Notes of another mount are dropped, also from the journal. */
  restore(records: Iterable<StoredRecord>): void {
    for (const { id, value } of [...records]) {
      const view = new DataView(value.buffer, value.byteOffset, value.length);
      if (value.length === SIZE && getU64(view, 0) === this.#instance) {
        this.#restored.set(id, getU64(view, 8));
      } else {
        this.delete(id);
      }
    }
  }

  /** The note of the request `key`, which has come again; 0: none. Its journal record stays until `delete`. */
  take(key: number): number {
    const note = this.#restored.get(key) ?? 0;
    this.#restored.delete(key);
    return note;
  }

  /** Every request that was delivered again has come: the notes of all others are needed no more. */
  settle(): void {
    for (const key of this.#restored.keys()) this.delete(key);
    this.#restored.clear();
  }

  put(key: number, note: number): void {
    const value = new Uint8Array(SIZE);
    const view = new DataView(value.buffer);
    setU64(view, 0, this.#instance);
    setU64(view, 8, note);
    this.#journal.put(Table.note, key, 0, value);
  }

  delete(key: number): void {
    this.#journal.delete(Table.note, key, 0);
  }
}
