/**
 * `node check-main.js DIRECTORY`: is the store fit for use? Exits with 0, or with 1 and a line on stderr that says what is
 * wrong. It reads the store through LMDB as well, which damage may crash: that is why it is a process of its own.
 */
import { constants, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkRecord } from './check-record.ts';
import { DATA_FILE } from './layout.ts';
import { MAP_SIZE, openLmdb } from './lmdb.ts';
import { restorePoint } from './restore-point.ts';
import { checkStore } from './store-check.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { TurnFile } from './turn-file.ts';

function check(directory: string): void {
  const turnFile = TurnFile.open(directory, constants.O_RDONLY);
  if (turnFile === undefined) throw new StoreError(`${directory} holds no store`);
  const { expected } = restorePoint(directory, turnFile);
  if (expected === undefined) return;
  const records = checkStore(directory, expected);
  // A checkpoint's records are not those that LMDB sees before it is put back.
  if (expected.metas !== undefined) return;
  let seen = 0;
  for (const { key, value } of recordsOf(directory)) {
    checkRecord(key, value);
    seen += 1;
  }
  if (seen !== records)
    throw new StoreError(`${directory}: LMDB sees ${seen} of ${records} records; ${REMEDY}`);
}

/** What LMDB finds. It writes to its table of readers beside the data file, so it gets that file in another directory. */
function recordsOf(directory: string) {
  const elsewhere = mkdtempSync(join(tmpdir(), 'holdfast-check-'));
  process.on('exit', () => rmSync(elsewhere, { recursive: true }));
  symlinkSync(resolve(directory, DATA_FILE), join(elsewhere, DATA_FILE));
  return openLmdb(elsewhere, MAP_SIZE, true).getRange({});
}

const directory = process.argv[2];
try {
  if (directory === undefined) throw new StoreError('which store? give its directory');
  check(directory);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
