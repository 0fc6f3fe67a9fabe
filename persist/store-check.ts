import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checkRecord } from './check-record.ts';
import { DataFileDamage, walkDataFile } from './data-file.ts';
import { Facts } from './facts.ts';
import { DATA_FILE, isFacts } from './layout.ts';
import type { RedoTurns } from './redo-turns.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { otherLayout } from './turn-file.ts';
import { canUpgrade } from './upgrade.ts';

/** The state data.mdb must be in to be used. */
export interface ExpectedState {
  /** The facts' turn is one of these two or between them. */
  readonly firstTurn: number;
  readonly lastTurn: number;
  /** Bytes that data.mdb has at the least. */
  readonly leastLength: number;
  /** LMDB's meta pages to put back first: those in the file may speak of pages that a power cut took away. */
  readonly metas?: Buffer;
  /** Turns that data.mdb need not have. */
  readonly redo?: RedoTurns;
}

/**
 * Reads every byte of the store's records and everything that leads to them, and changes nothing.
 * @returns how many records there are
 * @throws StoreError when anything is wrong, or the store is not in the state it must be in
 */
export function checkStore(directory: string, expected: ExpectedState): number {
  const path = join(directory, DATA_FILE);
  if (lengthOf(path) < expected.leastLength) throw damaged(path, 'it has been cut short');
  let facts: Facts | undefined;
  const visit = (key: Uint8Array, value: Uint8Array) => {
    const payload = checkRecord(key, value);
    if (isFacts(key)) facts = new Facts(payload);
  };
  let records: number;
  try {
    records = walkDataFile(path, visit, expected.metas);
  } catch (error) {
    if (error instanceof DataFileDamage) throw damaged(path, error.message);
    throw new StoreError(`cannot read the store: ${(error as Error).message}`);
  }
  if (facts === undefined) throw damaged(path, 'it holds no facts');
  checkFacts(directory, facts, expected);
  expected.redo?.check(facts.turn);
  return records;
}

/** @throws StoreError when the facts are not those of the state that the store must be in */
export function checkFacts(directory: string, facts: Facts, expected: ExpectedState): void {
  const path = join(directory, DATA_FILE);
  const { layoutVersion } = facts;
  if (!canUpgrade(layoutVersion)) throw new StoreError(otherLayout(path, layoutVersion));
  const { firstTurn, lastTurn, redo } = expected;
  const turn = redo?.lastAfter(facts.turn) ?? facts.turn;
  if (turn < firstTurn || turn > lastTurn)
    throw new StoreError(
      `the store is not as it was last left: ${directory} is at turn ${turn} and should be at ${firstTurn}; ${REMEDY}`,
    );
}

/** Of a file, in bytes; 0 when there is none. */
export function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function damaged(path: string, what: string): StoreError {
  return new StoreError(`the store is damaged: ${path}: ${what}; ${REMEDY}`);
}
