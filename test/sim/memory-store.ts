import { Facts } from '../../persist/facts.ts';
import type { RecordSource, StoredRecord } from '../../persist/record-store.ts';
import { Table } from '../../persist/table.ts';
import type { EngineJournal, Store } from './store.ts';
import { must } from './violation.ts';

/** Slots of one id are below this. */
const SLOTS = 2 ** 20;
const NO_BOOT = new Uint8Array(16);

interface Change {
  readonly table: Table;
  readonly key: number;
  /** undefined: there is no such record. */
  readonly value: Uint8Array | undefined;
}

interface Turn {
  readonly number: number;
  readonly changes: readonly Change[];
}

/** A disk in memory: whole turns or nothing, and the last of them only as long as the power does not fail. */
export class MemoryStore implements Store {
  /** What has reached the disk, by table, id and slot. */
  readonly #synced = new Map<Table, Map<number, Uint8Array>>();
  #turns: Turn[] = [];
  #engine: MemoryJournal | undefined;

  open(): EngineJournal {
    this.sync(Infinity);
    this.#engine = new MemoryJournal(this);
    return this.#engine;
  }

  /** @param engine who says so: the one before may hold no pen any more */
  append(engine: MemoryJournal, turn: Turn): void {
    must(engine === this.#engine, 'an engine commits after its death');
    this.#turns.push(turn);
  }

  get unsynced(): number {
    return this.#turns.length;
  }

  sync(turn: number): void {
    while (this.#turns.length > 0 && this.#turns[0]!.number <= turn) {
      for (const { table, key, value } of this.#turns.shift()!.changes) {
        const records = this.#tableOf(table);
        if (value === undefined) records.delete(key);
        else records.set(key, value);
      }
    }
  }

  cutPower(lost: number): void {
    this.#turns.splice(this.#turns.length - lost);
  }

  /** In the order of the keys. */
  scan(table: Table): StoredRecord[] {
    return [...this.#tableOf(table)]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => ({ id: Math.floor(key / SLOTS), index: key % SLOTS, value }));
  }

  #tableOf(table: Table): Map<number, Uint8Array> {
    let records = this.#synced.get(table);
    if (records === undefined) {
      records = new Map();
      this.#synced.set(table, records);
    }
    return records;
  }
}

interface Staged {
  readonly table: Table;
  readonly key: number;
  readonly value: Uint8Array | RecordSource | undefined;
}

/** One engine's way to its store. What is only staged dies with it. */
class MemoryJournal implements EngineJournal {
  readonly facts: Facts;
  readonly #store: MemoryStore;
  #staged: Staged[] = [];

  constructor(store: MemoryStore) {
    this.#store = store;
    this.facts = new Facts(store.scan(Table.store)[0]?.value);
  }

  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    this.#staged.push({ table, key: keyOf(id, index), value });
  }

  delete(table: Table, id: number, index: number): void {
    this.#staged.push({ table, key: keyOf(id, index), value: undefined });
  }

  scan(table: Table): StoredRecord[] {
    return this.#store.scan(table);
  }

  commit(): number {
    const { facts } = this;
    if (this.#staged.length === 0 && !facts.changed) return facts.turn;
    const number = facts.turn + 1;
    facts.stamp(number, NO_BOOT, 0, 0);
    facts.changed = false;
    this.put(Table.store, 0, 0, facts.bytes);
    const changes = this.#staged.map(({ table, key, value }) => {
      return { table, key, value: value && copyOf(value) };
    });
    this.#staged = [];
    this.#store.append(this, { number, changes });
    return number;
  }
}

function keyOf(id: number, index: number): number {
  must(index < SLOTS, 'a stream has more slots than it can use');
  return id * SLOTS + index;
}

function copyOf(value: Uint8Array | RecordSource): Uint8Array {
  if (value instanceof Uint8Array) return value.slice();
  const copy = new Uint8Array(value.length);
  value.copyTo(copy, 0);
  return copy;
}
