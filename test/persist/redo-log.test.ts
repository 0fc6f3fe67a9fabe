import fs, { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Change } from '../../persist/change.ts';
import { Journal, type JournalOptions } from '../../persist/journal.ts';
import { REDO_FILE, TURN_FILE } from '../../persist/layout.ts';
import { lengthOfTurn, putTurn, sealTurn } from '../../persist/redo-turn.ts';
import { readStore } from '../../persist/store-contents.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents, digestOfData } from './contents.ts';
import { pretendOtherBoot } from './other-boot.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Of a turn that is not small. */
const LARGE = 100_000;

class Store {
  readonly directory: string;
  readonly journal: Journal;
  readonly #copies: string;
  #copied = 0;
  #isClosed = false;

  constructor(t: Test, options?: JournalOptions) {
    const base = temporaryDirectory(t);
    this.directory = join(base, 'store');
    this.#copies = join(base, 'copy');
    this.journal = Journal.open(this.directory, options);
    t.teardown(() => this.close());
    // With it LMDB has all that there was.
    this.commit(0, Buffer.alloc(LARGE));
  }

  commit(id: number, value: Uint8Array | undefined): void {
    if (value === undefined) this.journal.delete(Table.node, id, 0);
    else this.journal.put(Table.node, id, 0, value);
    this.journal.commit();
  }

  async close(): Promise<void> {
    if (!this.#isClosed) await this.journal.close();
    this.#isClosed = true;
  }

  /** The directory as the death of the process would leave it. */
  dead(): string {
    const copy = `${this.#copies}-${this.#copied++}`;
    cpSync(this.directory, copy, { recursive: true });
    return copy;
  }
}

async function contentsOf(directory: string): Promise<Record<string, string>> {
  const journal = Journal.open(directory);
  const records = contents(journal);
  await journal.close();
  return records;
}

const text = (value: string) => Buffer.from(value);

t.test(
  'a small turn leaves data.mdb alone, and is there after the death of the process',
  async (t) => {
    const store = new Store(t);
    const before = digestOfData(store.directory);
    store.commit(1, text('one'));
    store.commit(1, text('one again'));
    store.commit(2, text('two'));
    store.commit(0, undefined);
    t.equal(digestOfData(store.directory), before);
    const committed = contents(store.journal);
    t.same(Object.keys(committed), [`${Table.node}/1/0`, `${Table.node}/2/0`]);
    const dead = store.dead();
    t.same(readStore(dead).problems, []);
    t.equal(readStore(dead).facts?.turn, store.journal.durable);
    t.same(await contentsOf(dead), committed);
    t.same(await contentsOf(dead), committed, 'and when it was closed');
  },
);

t.test('a turn that is not small takes those before it along', async (t) => {
  const store = new Store(t);
  store.commit(1, text('one'));
  store.commit(2, Buffer.alloc(LARGE, 2));
  const dead = store.dead();
  rmSync(join(dead, REDO_FILE));
  t.same(await contentsOf(dead), contents(store.journal));
});

t.test('a log that is full begins anew', async (t) => {
  const store = new Store(t);
  const value = Buffer.alloc(10_000);
  for (let turn = 0; turn < 1000; turn++) {
    value.writeUInt32BE(turn);
    store.commit(turn % 7, value);
  }
  t.ok(readFileSync(join(store.directory, REDO_FILE)).length <= 2 ** 20);
  t.same(await contentsOf(store.dead()), contents(store.journal));
});

t.test('what is to outlive the host is not logged', async (t) => {
  const store = new Store(t);
  store.journal.durability = 'power';
  store.commit(1, text('one'));
  rmSync(join(store.directory, REDO_FILE));
  t.same(await contentsOf(store.dead()), contents(store.journal));
});

t.test('after the death of the host a log means nothing', async (t) => {
  const store = new Store(t);
  const first = contents(store.journal);
  const dead = store.dead();
  await store.close();
  // What the snapshot has; and a log as it may have got to the disk.
  const journal = Journal.open(store.directory);
  journal.put(Table.node, 0, 0, Buffer.alloc(LARGE));
  journal.commit();
  journal.put(Table.node, 1, 0, text('one'));
  journal.commit();
  cpSync(join(store.directory, REDO_FILE), join(dead, REDO_FILE));
  cpSync(join(store.directory, 'snapshot'), join(dead, 'snapshot'));
  await journal.close();
  pretendOtherBoot(dead, false);
  t.same(await contentsOf(dead), first);
  t.same(await contentsOf(dead), first);
});

t.test('what was logged is saved for a death of the host all the same', async (t) => {
  const store = new Store(t);
  store.commit(1, text('one'));
  const committed = contents(store.journal);
  await store.close();
  pretendOtherBoot(store.directory, false);
  t.same(await contentsOf(store.directory), committed);
});

t.test('turns of all kinds and deaths at any time: what was committed is there', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const base = temporaryDirectory(t);
  let directory = join(base, 'store-0');
  let journal = Journal.open(directory);
  const model: Record<string, string> = {};
  for (let turn = 1; turn < 600; turn++) {
    for (let i = random.below(4); i >= 0; i--) {
      const [id, index] = [random.below(20), random.below(3)];
      const key = `${Table.receiveChunk}/${id}/${index}`;
      if (random.below(4) === 0) {
        journal.delete(Table.receiveChunk, id, index);
        delete model[key];
      } else {
        const value = random.bytes(random.below([20, 3000, 20_000][random.below(3)]!));
        journal.put(Table.receiveChunk, id, index, value);
        model[key] = Buffer.from(value).toString('hex');
      }
    }
    if (random.below(50) === 0) journal.durability = random.below(2) === 0 ? 'power' : 'process';
    journal.commit();
    if (random.below(12) !== 0) continue;
    t.same(contents(journal), model, `turn ${turn}`);
    const copy = join(base, `store-${turn}`);
    cpSync(directory, copy, { recursive: true });
    await journal.close();
    const { records, problems } = readStore(copy);
    t.same(problems, []);
    t.equal([...records.scan(Table.receiveChunk)].length, Object.keys(model).length);
    rmSync(directory, { recursive: true });
    directory = copy;
    journal = Journal.open(directory);
    t.same(contents(journal), model, `reopened at turn ${turn}`);
  }
  await journal.close();
});

t.test('a process that dies while it writes a turn has committed those before it', async (t) => {
  const store = new Store(t);
  store.commit(1, text('one'));
  const before = contents(store.journal);
  const noted = readFileSync(join(store.directory, TURN_FILE));
  const length = loggedIn(store);
  store.commit(2, text('two'));
  const whole = loggedIn(store);
  const dead = store.dead();
  for (let end = length; end < whole; end += 7) {
    const copy = `${dead}-${end}`;
    cpSync(dead, copy, { recursive: true });
    truncateSync(join(copy, REDO_FILE), end);
    t.throws(() => Journal.open(copy), StoreError, 'the turn was noted');
    t.not(readStore(copy).problems.length, 0);
    writeFileSync(join(copy, TURN_FILE), noted);
    t.same(await contentsOf(copy), before, `${end - length} bytes of it`);
  }
});

t.test(
  'a turn that was logged and could not be noted is committed again, and those after it count',
  async (t) => {
    const store = new Store(t);
    store.commit(1, text('one'));
    const { writeSync } = fs;
    const restore = () => {
      fs.writeSync = writeSync;
      syncBuiltinESMExports();
    };
    t.teardown(restore);
    let writes = 0;
    fs.writeSync = ((...call: Parameters<typeof writeSync>) => {
      writes += 1;
      if (writes > 1) throw new Error('the disk fails');
      return writeSync(...call);
    }) as typeof writeSync;
    syncBuiltinESMExports();
    t.throws(() => store.commit(2, text('two')), StoreError);
    restore();
    t.equal(writes, 2, 'the log took it');
    store.commit(3, text('three'));
    store.commit(4, text('four'));
    const dead = store.dead();
    t.same(readStore(dead).problems, []);
    t.same(await contentsOf(dead), contents(store.journal));
    t.equal(Object.keys(contents(store.journal)).length, 5);
  },
);

t.test('a byte that is wrong is refused', async (t) => {
  const store = new Store(t);
  for (const name of ['one', 'two', 'three']) store.commit(name.length, text(name));
  const dead = store.dead();
  const path = join(dead, REDO_FILE);
  const bytes = readFileSync(path);
  for (let at = 0; at < loggedIn(store); at += 5) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x10;
    writeFileSync(path, damaged);
    t.throws(() => Journal.open(dead), StoreError);
    t.not(readStore(dead).problems.length, 0);
  }
  writeFileSync(path, bytes);
  t.same(await contentsOf(dead), contents(store.journal));
});

t.test('a turn whose checksum is right and whose contents are not is refused', async (t) => {
  const store = new Store(t);
  const turn = store.journal.durable + 1;
  const facts = { table: Table.store, id: 0, index: 0 };
  const wrong: Record<string, Buffer> = {
    'a value longer than the turn': logOf(turn, (bytes) => bytes.writeUInt32BE(5000, 16)),
    'an id that is no integer': logOf(turn, (bytes) => bytes.fill(0xff, 21, 29)),
    'a change cut short': logOf(turn, (bytes) => bytes.writeUInt32BE(0, 16)),
    'facts of another length': logOf(turn, () => {}, { ...facts, value: text('facts') }),
    'no facts any more': logOf(turn, () => {}, { ...facts, value: undefined }),
  };
  for (const [what, log] of Object.entries(wrong)) {
    const dead = store.dead();
    writeFileSync(join(dead, REDO_FILE), log);
    t.throws(() => Journal.open(dead), { name: 'StoreError', message: /redo log/ }, what);
    t.match(readStore(dead).problems.join(), /redo log/, what);
  }
});

/** Bytes at the beginning of the log that are of the turns since LMDB got them all. */
function loggedIn(store: Store): number {
  const bytes = readFileSync(join(store.directory, REDO_FILE));
  let end = 0;
  while (end < bytes.length && bytes.readUInt32BE(end) > 0) end += bytes.readUInt32BE(end);
  return end;
}

/** The log of one turn, changed by `spoil` before its checksum is made. */
function logOf(
  turn: number,
  spoil: (bytes: Buffer) => void,
  change: Change = {
    table: Table.node,
    id: 1,
    index: 0,
    value: text('a value of some bytes'),
  },
): Buffer {
  const length = lengthOfTurn([change]);
  const bytes = Buffer.alloc(length);
  putTurn(bytes, 0, length, turn, [change]);
  spoil(bytes);
  sealTurn(bytes, 0, length);
  return bytes;
}
