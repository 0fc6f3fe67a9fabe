/**
 * `node check-main.js DIRECTORY`: is the store fit for use? Exits with 0, or with 1 and a line on stderr that says what is
 * wrong. It reads the store through LMDB as well, which damage may crash: that is why it is a process of its own.
 */
import { MAP_SIZE, openLmdb } from './lmdb.ts';
import { checkRecord, checkStore, expectedState } from './store-check.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { TurnFile } from './turn-file.ts';

function check(directory: string): void {
  const turnFile = TurnFile.open(directory);
  if (turnFile === undefined) throw new StoreError(`${directory} holds no store`);
  if (turnFile.turn === 0) return;
  const expected = expectedState(directory, turnFile);
  const records = checkStore(directory, expected);
  // A checkpoint's records are not those that LMDB sees before it is put back.
  if (expected.metas !== undefined) return;
  let seen = 0;
  for (const { key, value } of openLmdb(directory, MAP_SIZE, true).getRange({})) {
    checkRecord(key, value);
    seen += 1;
  }
  if (seen !== records)
    throw new StoreError(`${directory}: LMDB sees ${seen} of ${records} records; ${REMEDY}`);
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
