import type { Stage } from '../../mount/stage.ts';
import type { StoredRecord } from '../../persist/record-store.ts';
import type { Table } from '../../persist/table.ts';

/** A journal in memory: what is staged counts when it is committed, as with the real one. */
export class ToyJournal implements Stage {
  readonly #records = new Map<string, [table: number, record: StoredRecord]>();
  #staged: (() => void)[] = [];
  turn = 1;

  put(table: Table, id: number, index: number, value: Uint8Array): void {
    const name = `${table} ${id} ${index}`;
    this.#staged.push(() => this.#records.set(name, [table, { id, index, value: value.slice() }]));
  }

  delete(table: Table, id: number, index: number): void {
    this.#staged.push(() => this.#records.delete(`${table} ${id} ${index}`));
  }

  /** The committed records of a table. */
  scan(table: Table): StoredRecord[] {
    return [...this.#records.values()].filter(([t]) => t === table).map(([, record]) => record);
  }

  /** @returns the turn that was committed */
  commit(): number {
    for (const change of this.#staged) change();
    this.#staged = [];
    this.turn += 1;
    return this.turn - 1;
  }

  save(): string {
    return JSON.stringify(
      [...this.#records].map(([name, [table, { id, index, value }]]) => {
        return [name, table, id, index, Buffer.from(value).toString('base64')];
      }),
    );
  }

  load(text: string): void {
    for (const [name, table, id, index, value] of JSON.parse(text)) {
      this.#records.set(name, [table, { id, index, value: Buffer.from(value, 'base64') }]);
    }
  }
}
