import { constants } from 'node:fs';
import { join } from 'node:path';
import { RecordError } from '../tcp/record-error.ts';
import type { Change } from './change.ts';
import { checkRecord } from './check-record.ts';
import { DataFileDamage, walkDataFile } from './data-file.ts';
import { Facts } from './facts.ts';
import { DATA_FILE, getU64, isFacts } from './layout.ts';
import type { RecordStore } from './record-store.ts';
import { RecordsInMemory } from './records-in-memory.ts';
import { type RestorePoint, restorePoint } from './restore-point.ts';
import { rollback } from './rollback.ts';
import { checkFacts, type ExpectedState, lengthOf } from './store-check.ts';
import { StoreError } from './store-error.ts';
import { StoreRecord, Table } from './table.ts';
import { TurnFile } from './turn-file.ts';
import { upgrade } from './upgrade.ts';
import type { Witness } from './witness.ts';

/** What is in a store, as far as it could be read. */
export interface StoreContents {
  /** What of it would be used; undefined: that could not be found out. */
  readonly restoresFrom: RestorePoint['from'] | undefined;
  /** Whether whoever used the store last closed it. */
  readonly closed: boolean;
  /** See `Journal.isTentative`. */
  readonly isTentative: boolean;
  /** undefined: they could not be read, or nothing was ever committed. */
  readonly facts: Facts | undefined;
  /** All records but the facts whose checksums are right, in the layout of this program. */
  readonly records: RecordStore;
  /** What is wrong, a line each. */
  readonly problems: readonly string[];
}

export interface ReadingOptions {
  readonly witness?: Witness;
  /** Which tables to keep the records of; all if not given. Those of the others are looked at all the same. */
  readonly tables?: readonly Table[];
  /** What of the store to read, instead of what would be used. */
  readonly point?: RestorePoint;
}

/**
 * Reads everything in a store, and changes nothing. LMDB is not asked, for it trusts its file: see data-file.ts.
 * @throws StoreError when there is no store, or not even the file `turn` can be read
 */
export function readStore(directory: string, options: ReadingOptions = {}): StoreContents {
  const turnFile = TurnFile.open(directory, constants.O_RDONLY);
  if (turnFile === undefined) throw new StoreError(`${directory} holds no store`);
  turnFile.close();
  const reader = new Reader(directory, options.tables);
  reader.read(turnFile, options.point);
  if (options.witness !== undefined) reader.hear(options.witness);
  const { point, facts, records, problems } = reader;
  // Of a turn that was not noted any more nothing is known.
  const isTentative = turnFile.isTentative || facts?.turn !== turnFile.turn;
  return {
    ...{ restoresFrom: point?.from, closed: turnFile.closed, isTentative },
    ...{ facts, records, problems },
  };
}

class Reader {
  readonly #directory: string;
  readonly #tables: readonly number[] | undefined;
  readonly records = new RecordsInMemory();
  readonly problems: string[] = [];
  point: RestorePoint | undefined;
  facts: Facts | undefined;

  constructor(directory: string, tables: readonly Table[] | undefined) {
    this.#directory = directory;
    this.#tables = tables;
  }

  read(turnFile: TurnFile, point?: RestorePoint): void {
    this.#attempt(() => {
      this.point = point ?? restorePoint(this.#directory, turnFile);
    });
    const { from, snapshot } = this.point ?? {};
    if (from === 'snapshot')
      for (const { key, value } of snapshot!.records) this.#visit(key, value);
    else if (from !== 'new' && from !== 'nothing') this.#readData(this.point?.expected);
    const { facts } = this;
    if (facts !== undefined) this.#attempt(() => upgrade(this.records, facts.layoutVersion));
  }

  #readData(expected: ExpectedState | undefined): void {
    const path = join(this.#directory, DATA_FILE);
    if (lengthOf(path) < (expected?.leastLength ?? 0))
      this.problems.push(`${path} has been cut short`);
    this.#attempt(() => {
      walkDataFile(path, (key, value) => this.#visit(key, value), expected?.metas);
      if (this.facts === undefined) throw new DataFileDamage('it holds no facts');
    });
    const { facts } = this;
    if (facts === undefined || expected === undefined) return;
    this.#attempt(() => checkFacts(this.#directory, facts, expected));
    this.#attempt(() => this.#redo(expected.redo?.changesAfter(facts.turn) ?? []));
  }

  #redo(changes: Iterable<Change<Uint8Array>>): void {
    for (const { table, id, index, value } of changes) {
      if (table === Table.store && index === StoreRecord.facts) this.facts = new Facts(value);
      else if (!this.#isWanted(table)) continue;
      else if (value === undefined) this.records.delete(table, id, index);
      else this.records.put(table, id, index, value);
    }
  }

  /** A store that nobody knows of where it lies is not to blame: it may be a backup. */
  hear(witness: Witness): void {
    const standing = witness.read();
    const { facts, point } = this;
    if (standing === undefined || facts === undefined || point === undefined) return;
    const { path } = witness;
    const problem = rollback(this.#directory, point.from, facts, { path, standing });
    if (problem !== undefined) this.problems.push(problem.message);
  }

  #visit(key: Uint8Array, value: Uint8Array): void {
    this.#attempt(() => {
      const payload = checkRecord(key, value);
      const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
      if (isFacts(key)) this.facts = new Facts(payload);
      else if (this.#isWanted(key[0]!))
        this.records.put(key[0] as Table, getU64(view, 1), view.getUint32(9), payload);
    });
  }

  #isWanted(table: number): boolean {
    return this.#tables === undefined || this.#tables.includes(table);
  }

  /** Notes what is wrong, and goes on with the next. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof DataFileDamage)
        this.problems.push(`${join(this.#directory, DATA_FILE)}: ${message}`);
      else if (error instanceof StoreError || error instanceof RecordError)
        this.problems.push(message);
      else if (isSystemError(error)) this.problems.push(`cannot read the store: ${message}`);
      else throw error;
    }
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
