import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE } from '../../persist/layout.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents, digestOfData } from './contents.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

const CONNECTIONS = 200;
const PAGE = 4096;

/** A closed store of 200 connections with chunks of all sizes, with a past: free pages, and trees of several levels. */
async function makeStore(directory: string, random: Random): Promise<Record<string, string>> {
  const journal = Journal.open(directory);
  for (let turn = 0; turn < 150; turn++) {
    for (let i = 0; i < 10; i++) {
      const id = 1 + random.below(CONNECTIONS);
      journal.put(Table.connection, id, 0, random.bytes(300));
      const size = [40, 1500, 5000, 30_000][random.below(4)]!;
      journal.put(Table.sendChunk, id, random.below(2), random.bytes(1 + random.below(size)));
      if (random.below(3) === 0) journal.delete(Table.receiveChunk, id, 0);
      else journal.put(Table.receiveChunk, id, 0, random.bytes(1 + random.below(size)));
    }
    journal.commit();
  }
  const records = contents(journal);
  await journal.close();
  return records;
}

/**
 * Opens a damaged copy. It must be refused and left alone, or have exactly the records that it had, and stay sound
 * through further turns.
 * @returns whether it was refused
 */
async function isRefused(
  t: Test,
  directory: string,
  records: Record<string, string>,
  what: string,
): Promise<boolean> {
  const before = digestOfData(directory);
  let journal: Journal;
  try {
    journal = Journal.open(directory);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.message.includes('\n') || digestOfData(directory) !== before)
      t.fail(`${what}: refused, but not as it should be`);
    return true;
  }
  const found = contents(journal);
  if (!isSame(found, records)) t.fail(`${what}: accepted with other records`);
  for (let turn = 0; turn < 5; turn++) {
    for (let i = 0; i < 20; i++) journal.put(Table.handle, i, 0, Buffer.alloc(5000, turn));
    journal.commit();
  }
  for (let i = 0; i < 20; i++) journal.delete(Table.handle, i, 0);
  journal.commit();
  await journal.close();
  const again = Journal.open(directory);
  if (!isSame(contents(again), records)) t.fail(`${what}: accepted, and records were lost later`);
  await again.close();
  return false;
}

function copyOf(directory: string): string {
  const copy = `${directory}-copy`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(directory, copy, { recursive: true });
  return copy;
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

t.test('damage is refused, or it is where nothing is kept', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const base = temporaryDirectory(t);
  const whole = join(base, 'whole');
  const records = await makeStore(whole, random);
  const data = readFileSync(join(whole, DATA_FILE));

  t.test('the store is accepted as it is', async (t) => {
    const copy = copyOf(whole);
    t.equal(await isRefused(t, copy, records, 'whole'), false);
  });

  const flip = async (t: Test, at: number) => {
    const copy = copyOf(whole);
    const bytes = Buffer.from(data);
    const mask = 1 + random.below(255);
    bytes[at]! ^= mask;
    writeFileSync(join(copy, DATA_FILE), bytes);
    return isRefused(t, copy, records, `byte ${at} changed by ${mask}`);
  };

  t.test('one byte changed, anywhere', async (t) => {
    let refused = 0;
    for (let i = 0; i < 300; i++) if (await flip(t, random.below(data.length))) refused += 1;
    t.comment(`${refused} of 300 refused`);
    t.ok(refused > 0);
  });

  t.test('one byte changed where pages say what they are', async (t) => {
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const page = i < 150 ? random.below(2) : random.below(data.length / PAGE);
      if (await flip(t, page * PAGE + random.below(i < 150 ? 160 : 40))) refused += 1;
    }
    t.comment(`${refused} of 300 refused`);
    t.ok(refused > 0);
  });

  t.test('cut short at any length', async (t) => {
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      const copy = copyOf(whole);
      const length = i === 0 ? 0 : random.below(data.length);
      truncateSync(join(copy, DATA_FILE), length);
      if (await isRefused(t, copy, records, `cut to ${length}`)) refused += 1;
      if (statSync(join(copy, DATA_FILE)).size < length) t.fail('it became even shorter');
    }
    t.comment(`${refused} of 100 refused`);
    t.ok(refused > 0);
  });
});
