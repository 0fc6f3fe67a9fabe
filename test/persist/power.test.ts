import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE } from '../../persist/layout.ts';
import { GROWTH } from '../../persist/save-points.ts';
import { Table } from '../../persist/table.ts';
import { cutPower } from './power-cuts/power-cuts.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// Lives wait for the disk and for each other.
t.setTimeout(300_000);

/** Of each level. `npm run power-cuts` makes as many as it is told to. */
const IMAGES = 40;

function commitSomething(journal: Journal, random: Random): number {
  for (let i = 0; i < 6; i++) {
    const id = random.below(60);
    if (random.below(5) === 0) journal.delete(Table.sendChunk, id, 0);
    else journal.put(Table.sendChunk, id, 0, random.bytes(random.below(9000)));
  }
  journal.put(Table.node, 1, 0, random.bytes(20));
  return journal.commit();
}

t.test('what is asked to be synced is, and turns go on meanwhile', async (t) => {
  const random = new Random(1);
  const journal = Journal.open(join(temporaryDirectory(t), 'store'), { durability: 'power' });
  const before = journal.synced;
  const first = commitSomething(journal, random);
  journal.sync();
  const second = commitSomething(journal, random);
  const last = commitSomething(journal, random);
  journal.sync();
  t.equal(journal.synced, before, 'a commit does not wait for the disk');
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    journal.onSynced = () => {
      seen.push(journal.synced);
      if (journal.synced === last) resolve();
    };
  });
  t.same(seen, [first, last], 'turns committed in the meantime share the next sync');
  t.ok(second < last);
  await journal.close();
});

t.test('between two checkpoints a store grows so far and no further', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory, { durability: 'power' });
  let turns = 0;
  // Nothing is awaited, so no checkpoint completes.
  for (; journal.canGrow; turns++) {
    journal.put(Table.sendChunk, 1, 0, Buffer.alloc(2 ** 20, turns));
    journal.commit();
  }
  t.ok(turns <= GROWTH / 2 ** 20, `${turns} MiB`);
  await new Promise<void>((resolve) => {
    journal.onSynced = () => {
      if (journal.canGrow) resolve();
    };
    journal.sync();
  });
  const { length } = readFileSync(join(directory, DATA_FILE));
  t.ok(length < 1.5 * GROWTH, `${length} bytes`);
  await journal.close();
});

for (const level of ['process', 'power'] as const) {
  t.test(`durability ${level}: what a power cut leaves is what was promised`, async (t) => {
    const seed = chooseSeed();
    t.comment(`SEED=${seed}`);
    const { failures, counts } = await cutPower(IMAGES, level, seed);
    t.comment(Object.fromEntries(counts));
    t.same(failures, []);
  });
}
