import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE, README_FILE, TURN_FILE } from '../../persist/layout.ts';
import { StoreError } from '../../persist/store-error.ts';
import { LOCK_FILE } from '../../persist/store-lock.ts';
import { Table } from '../../persist/table.ts';
import { contents, digestOfData } from './contents.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

t.test(
  'what is committed is there after a reopening, and what is only staged is not',
  async (t) => {
    const directory = join(temporaryDirectory(t), 'a.store');
    const journal = Journal.open(directory);
    journal.put(Table.node, 7, 0, Buffer.from('name'));
    journal.put(Table.sendChunk, 2 ** 40 + 3, 2 ** 32 - 1, Buffer.from('far'));
    journal.put(Table.sendChunk, 7, 1, Buffer.from('first'));
    journal.put(Table.sendChunk, 7, 1, Buffer.from('last wins'));
    journal.put(Table.handle, 1, 0, Buffer.alloc(0));
    journal.put(Table.handle, 2, 0, Buffer.from('goes again'));
    journal.delete(Table.handle, 2, 0);
    t.same([...journal.scan(Table.node)], [], 'a scan shows committed records only');
    const turn = journal.turn;
    t.equal(journal.commit(), turn);
    t.equal(journal.durable, turn);
    t.equal(journal.turn, turn + 1);
    const committed = contents(journal);
    t.same(committed, {
      [`${Table.node}/7/0`]: Buffer.from('name').toString('hex'),
      [`${Table.sendChunk}/7/1`]: Buffer.from('last wins').toString('hex'),
      [`${Table.sendChunk}/${2 ** 40 + 3}/${2 ** 32 - 1}`]: Buffer.from('far').toString('hex'),
      [`${Table.handle}/1/0`]: '',
    });
    journal.put(Table.node, 8, 0, Buffer.from('staged'));
    await journal.close();

    const again = Journal.open(directory);
    t.same(contents(again), committed);
    t.equal(again.turn, turn + 1);
    t.equal(again.durable, turn);
    await again.close();
  },
);

t.test('a scan is in the order of ids and indexes', async (t) => {
  const journal = Journal.open(join(temporaryDirectory(t), 'store'));
  for (const id of [300, 2 ** 33, 1, 256, 2])
    for (const index of [256, 0, 1]) journal.put(Table.receiveChunk, id, index, Buffer.from([1]));
  journal.commit();
  t.same(
    [...journal.scan(Table.receiveChunk)].map(({ id, index }) => [id, index]),
    [1, 2, 256, 300, 2 ** 33].flatMap((id) => [0, 1, 256].map((index) => [id, index])),
  );
  await journal.close();
});

t.test('a commit with nothing staged does nothing', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  const turn = journal.turn;
  const before = digestOfData(directory);
  t.equal(journal.commit(), turn - 1);
  t.equal(journal.turn, turn);
  t.equal(digestOfData(directory), before);
  await journal.close();
});

t.test('the facts are committed with the turn', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  const { facts } = journal;
  const secret = Buffer.from(facts.secret);
  facts.epoch += 1;
  facts.nextId = 2 ** 40 + 1;
  facts.nextHandle = 77;
  facts.mountInstance = 2 ** 50 + 5;
  const turn = journal.turn;
  t.equal(journal.commit(), turn, 'a fact alone is something to commit');
  facts.epoch = 99;
  await journal.close();
  const again = Journal.open(directory);
  t.equal(again.facts.turn, turn);
  t.equal(again.facts.epoch, 1);
  t.equal(again.facts.nextId, 2 ** 40 + 1);
  t.equal(again.facts.nextHandle, 77);
  t.equal(again.facts.mountInstance, 2 ** 50 + 5);
  t.same(Buffer.from(again.facts.secret), secret);
  const { monotonic: began, wall } = again.facts;
  const absence = (now: number) => again.facts.absence(now, wall + 1e6);
  t.same(
    absence(began + 1500),
    { began, atLeast: 1500, estimate: 1500 },
    'whatever the wall clock',
  );
  t.same(absence(began - 1), { began, atLeast: 0, estimate: 0 });
  await again.close();
});

t.test('values of every size come back', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const directory = join(temporaryDirectory(t), 'store');
  let journal = Journal.open(directory);
  const model: Record<string, string> = {};
  for (let turn = 0; turn < 200; turn++) {
    for (let i = random.below(8); i >= 0; i--) {
      const id = random.below(40);
      const index = random.below(3);
      const key = `${Table.sendChunk}/${id}/${index}`;
      if (random.below(4) === 0) {
        journal.delete(Table.sendChunk, id, index);
        delete model[key];
      } else {
        const value = random.bytes(random.below([20, 3000, 70_000][random.below(3)]!));
        journal.put(Table.sendChunk, id, index, value);
        model[key] = Buffer.from(value).toString('hex');
      }
    }
    journal.commit();
    if (random.below(20) !== 0) continue;
    await journal.close();
    journal = Journal.open(directory);
    t.same(contents(journal), model);
  }
  t.same(contents(journal), model);
  await journal.close();
});

t.test('a store says what it is', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  await journal.close();
  t.match(readFileSync(join(directory, README_FILE), 'utf8'), /Holdfast store/);
});

t.test('what is not a store is refused and left alone', async (t) => {
  const base = temporaryDirectory(t);
  const file = join(base, 'file');
  writeFileSync(file, 'x');
  t.throws(() => Journal.open(file), StoreError);
  const foreign = join(base, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'letter'), 'dear');
  t.throws(() => Journal.open(foreign), { name: 'StoreError', message: /letter/ });
  const other = join(base, 'other');
  mkdirSync(other);
  writeFileSync(join(other, TURN_FILE), 'turn, turn, turn; and there is more to it than that');
  t.throws(() => Journal.open(other), StoreError);
  t.equal(readFileSync(file, 'utf8'), 'x');
});

t.test('a directory that holds nothing but the lock becomes a store', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, LOCK_FILE), '1\n');
  await Journal.open(directory).close();
  t.pass();
});

/** A closed store with something in it. */
async function makeStore(directory: string): Promise<void> {
  const journal = Journal.open(directory);
  journal.put(Table.node, 1, 0, Buffer.from('one'));
  journal.commit();
  journal.put(Table.node, 2, 0, Buffer.from('two'));
  journal.commit();
  await journal.close();
}

t.test('another layout version is refused, and the store stays as it is', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  await makeStore(directory);
  const path = join(directory, TURN_FILE);
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(999, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  writeFileSync(path, bytes);
  const before = digestOfData(directory);
  t.throws(() => Journal.open(directory), { name: 'StoreError', message: /version 999/ });
  t.equal(digestOfData(directory), before);
});

t.test('an older copy of the data is refused, and the store stays as it is', async (t) => {
  const base = temporaryDirectory(t);
  const directory = join(base, 'store');
  await makeStore(directory);
  cpSync(join(directory, DATA_FILE), join(base, 'older'));
  const journal = Journal.open(directory);
  journal.put(Table.node, 3, 0, Buffer.from('three'));
  journal.commit();
  await journal.close();
  cpSync(join(base, 'older'), join(directory, DATA_FILE));
  const before = digestOfData(directory);
  t.throws(() => Journal.open(directory), { name: 'StoreError', message: /cut short|at turn/ });
  t.throws(() => Journal.open(directory, { check: false }), { name: 'StoreError' });
  t.equal(digestOfData(directory), before);
});

t.test('a store whose file turn is damaged or gone is refused', async (t) => {
  const base = temporaryDirectory(t);
  const directory = join(base, 'store');
  await makeStore(directory);
  const path = join(directory, TURN_FILE);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
    t.throws(() => Journal.open(directory), StoreError);
    writeFileSync(path, whole.subarray(0, at));
    t.throws(() => Journal.open(directory), StoreError);
  }
  writeFileSync(path, whole);
  const without = join(base, 'without');
  mkdirSync(without);
  cpSync(join(directory, DATA_FILE), join(without, DATA_FILE));
  t.throws(() => Journal.open(without), StoreError);
  await Journal.open(directory).close();
});

t.test('what is not to be written leaves the store as it was', async (t) => {
  const directory = join(temporaryDirectory(t), 'a.store');
  const journal = Journal.open(directory);
  journal.put(Table.node, 1, 0, Uint8Array.of(1));
  const turn = journal.commit();
  const before = contents(journal);
  await journal.close();
  const unwritten = Journal.open(directory, { isWritten: false });
  unwritten.put(Table.node, 2, 0, new Uint8Array(3 << 20));
  unwritten.delete(Table.node, 1, 0);
  t.equal(unwritten.commit(), turn + 1, 'turns go on');
  await unwritten.close();
  const again = Journal.open(directory);
  t.same(contents(again), before);
  t.equal(again.durable, turn);
  await again.close();
});
