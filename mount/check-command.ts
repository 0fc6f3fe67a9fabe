import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { StoreError } from '../persist/store-error.ts';
import { HostError } from './host-error.ts';
import { lockUnchanged } from './store-lock.ts';
import { formatReport, reportOn, type StoreReport } from './store-report.ts';
import { UsageError } from './usage.ts';

const PROBE = fileURLToPath(new URL('../persist/check-main.js', import.meta.url));

/**
 * `holdfast check STORE`: says what is in a store and what is wrong with it, and changes nothing. A store in use is refused:
 * its pages change while they are read, so that what was read of them would never have been there together.
 */
export function checkCommand(argv: readonly string[]): void {
  const { store, json } = parse(argv);
  const report = underLock(store, () => examine(store));
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report));
  for (const problem of report.problems) process.stderr.write(`holdfast: ${problem}\n`);
  if (report.problems.length > 0) process.exitCode = 1;
}

function parse(argv: readonly string[]): { store: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [store, ...rest] = positionals;
    if (store === undefined || rest.length > 0) throw new Error('check takes one store');
    return { store: resolve(store), json: values.json ?? false };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A mount that is tried meanwhile is told that the store is in use. */
function underLock<Result>(store: string, act: () => Result): Result {
  const lock = lockUnchanged(store);
  try {
    return act();
  } finally {
    if (lock !== undefined) closeSync(lock);
  }
}

function examine(store: string): StoreReport {
  try {
    const report = reportOn(store);
    // LMDB is asked only about what seems to be sound: of the rest it is known already.
    return report.problems.length > 0 ? report : { ...report, problems: probe(store) };
  } catch (error) {
    if (error instanceof StoreError) throw new HostError(error.message);
    throw error;
  }
}

/** Whether LMDB finds the same, in a process that it may take with it. */
function probe(store: string): string[] {
  const { status, signal, stderr } = spawnSync(process.execPath, [PROBE, store], {
    encoding: 'utf8',
  });
  if (signal !== null) return [`LMDB, asked to read ${store}, died of ${signal}`];
  return status === 0 ? [] : [stderr.trimEnd()];
}
