import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE, TURN_FILE } from '../../persist/layout.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents } from './contents.ts';
import { pretendOtherBoot } from './other-boot.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PAGE = 4096;

function commitSomething(journal: Journal, random: Random): number {
  for (let i = 0; i < 6; i++) {
    const id = random.below(60);
    if (random.below(5) === 0) journal.delete(Table.sendChunk, id, 0);
    else journal.put(Table.sendChunk, id, 0, random.bytes(random.below(9000)));
  }
  journal.put(Table.node, 1, 0, random.bytes(20));
  return journal.commit();
}

/** Resolves when `turn` is durable. */
function untilDurable(journal: Journal, turn: number): Promise<void> {
  return new Promise((resolve) => {
    journal.onDurable = () => {
      if (journal.durable < turn) return;
      journal.onDurable = () => {};
      resolve();
    };
  });
}

/** What a power cut may leave: of every page what was synced, or what was written since. */
function mix(synced: Buffer, written: Buffer, random: Random): Buffer {
  const image = Buffer.from(
    written.subarray(0, random.below(2) === 0 ? written.length : synced.length),
  );
  for (let at = 0; at < image.length; at += PAGE) {
    if (random.below(2) === 0) continue;
    if (at < synced.length) synced.copy(image, at, at, at + PAGE);
    else image.fill(0, at, at + PAGE);
  }
  return image;
}

t.test('a turn is durable once it is synced, and its outputs may leave then', async (t) => {
  const random = new Random(1);
  const journal = Journal.open(join(temporaryDirectory(t), 'store'), { durability: 'power' });
  const before = journal.durable;
  const first = commitSomething(journal, random);
  const second = commitSomething(journal, random);
  const last = commitSomething(journal, random);
  t.equal(journal.durable, before, 'a commit does not wait for the disk');
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    journal.onDurable = () => {
      seen.push(journal.durable);
      if (journal.durable === last) resolve();
    };
  });
  t.same(seen, [first, last], 'turns committed in the meantime share the next sync');
  t.ok(second < last);
  await journal.close();
});

t.test('a power cut takes away nothing that was durable', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const base = temporaryDirectory(t);
  const directory = join(base, 'store');
  const image = join(base, 'image');
  const bare = join(base, 'bare');
  const journal = Journal.open(directory, { durability: 'power' });
  let broken = 0;
  for (let cut = 0; cut < 40; cut++) {
    let turn = 0;
    for (let i = random.below(30); i >= 0; i--) turn = commitSomething(journal, random);
    const records = contents(journal);
    await untilDurable(journal, turn);
    const path = join(directory, DATA_FILE);
    const synced = readFileSync(path);
    cpSync(directory, image, { recursive: true });
    // Nothing is awaited here, so that no further checkpoint completes.
    for (let i = random.below(30); i >= 0; i--) commitSomething(journal, random);
    writeFileSync(join(image, DATA_FILE), mix(synced, readFileSync(path), random));
    if (random.below(2) === 0) cpSync(join(directory, TURN_FILE), join(image, TURN_FILE));

    cpSync(image, bare, { recursive: true });
    if (!(await isUsable(bare))) broken += 1;
    pretendOtherBoot(image, false);
    const restored = Journal.open(image, { durability: 'power' });
    t.equal(restored.facts.turn, turn);
    t.same(contents(restored), records);
    commitSomething(restored, random);
    await restored.close();
    await Journal.open(image).close();
    for (const copy of [image, bare]) rmSync(copy, { recursive: true });
  }
  t.ok(broken > 0, `${broken} of 40 images are of no use without their checkpoint`);
  await journal.close();
});

async function isUsable(directory: string): Promise<boolean> {
  try {
    await Journal.open(directory).close();
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

t.test('what was never durable is not taken for durable when the durability changes', async (t) => {
  const random = new Random(2);
  const directory = join(temporaryDirectory(t), 'store');
  const careful = Journal.open(directory, { durability: 'power' });
  commitSomething(careful, random);
  await careful.close();
  const careless = Journal.open(directory, { durability: 'process' });
  commitSomething(careless, random);
  await careless.close();
  pretendOtherBoot(directory, false);
  t.throws(() => Journal.open(directory, { durability: 'power' }), { message: /host went down/ });
});
