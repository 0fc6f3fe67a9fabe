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

/** Resolves when `turn` is on the disk. */
function untilSynced(journal: Journal, turn: number): Promise<void> {
  journal.sync();
  return new Promise((resolve) => {
    journal.onSynced = () => {
      if (journal.synced < turn) return;
      journal.onSynced = () => {};
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
    await untilSynced(journal, turn);
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
