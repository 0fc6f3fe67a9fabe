import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { Facts } from '../../persist/facts.ts';
import { CHECKSUM_LENGTH, KEY_LENGTH, putKey, SNAPSHOT_FILE } from '../../persist/layout.ts';
import { type Lmdb, MAP_SIZE, openLmdb } from '../../persist/lmdb.ts';
import { readSnapshot } from '../../persist/snapshot.ts';
import { Snapshots } from '../../persist/snapshots.ts';
import { StoreError } from '../../persist/store-error.ts';
import { nameOfTable, Table } from '../../persist/table.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const RECORDS = 3000;
const TABLES = [Table.connection, Table.node, Table.udpSocket];

/** A store of three tables, in which turns go on, and its snapshots. */
class Changing {
  readonly directory: string;
  readonly snapshots: Snapshots;
  /** What there was at each turn, by names. */
  readonly turns: Map<string, string>[] = [];
  readonly #lmdb: Lmdb;
  readonly #random: Random;
  readonly #facts = new Facts();

  constructor(t: Test, random: Random) {
    this.directory = join(temporaryDirectory(t), 'store');
    mkdirSync(this.directory);
    this.#random = random;
    this.#lmdb = openLmdb(this.directory, MAP_SIZE);
    this.snapshots = new Snapshots(this.directory, this.#lmdb, () => {});
    this.turns.push(new Map());
    this.turn(RECORDS);
    t.teardown(async () => {
      await this.snapshots.close();
      await this.#lmdb.close();
    });
  }

  /** Changes records, or removes them. */
  turn(count: number): void {
    const model = new Map(this.turns.at(-1));
    this.#lmdb.transactionSync(() => {
      for (let i = 0; i < count; i++) this.#change(model);
      this.#facts.stamp(this.turns.length, new Uint8Array(16), 0, 0);
      this.#put(Table.store, 0, this.#facts.bytes);
    });
    this.turns.push(model);
  }

  #change(model: Map<string, string>): void {
    const table = TABLES[this.#random.below(TABLES.length)]!;
    const id = this.#random.below(RECORDS);
    const name = `${nameOfTable(table)} ${id}`;
    if (this.#random.below(4) === 0) {
      this.#lmdb.remove(keyOf(table, id));
      model.delete(name);
    } else {
      const value = this.#random.bytes(20 + this.#random.below(50));
      this.#put(table, id, value);
      model.set(name, Buffer.from(value).toString('hex'));
    }
    this.snapshots.note(table, id);
  }

  #put(table: Table, id: number, payload: Uint8Array): void {
    const key = keyOf(table, id);
    const value = Buffer.alloc(CHECKSUM_LENGTH + payload.length);
    value.writeUInt32BE(crc32(payload, crc32(key)));
    value.set(payload, CHECKSUM_LENGTH);
    this.#lmdb.put(key, value);
  }

  /** Asserts that what is saved is what there was, at a turn of no earlier than `turn`. */
  check(t: Test, turn: number): void {
    const snapshot = readSnapshot(this.directory)!;
    t.ok(snapshot.turn >= turn);
    const saved = new Map<string, string>();
    for (const { key, value } of snapshot.records) {
      const bytes = Buffer.from(key);
      if (bytes[0] === Table.store) continue;
      const name = `${nameOfTable(bytes[0]!)} ${Number(bytes.readBigUInt64BE(1))}`;
      saved.set(name, Buffer.from(value).subarray(CHECKSUM_LENGTH).toString('hex'));
    }
    t.same(saved, this.turns[snapshot.turn]);
  }

  get length(): number {
    return statSync(join(this.directory, SNAPSHOT_FILE)).size;
  }
}

function keyOf(table: Table, id: number): Buffer {
  const key = Buffer.alloc(KEY_LENGTH);
  putKey(new DataView(key.buffer, key.byteOffset, KEY_LENGTH), 0, table, id, 0);
  return key;
}

function newRandom(t: Test): Random {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  return new Random(seed);
}

t.test('a snapshot is of one turn, whatever happens while it is made', async (t) => {
  const random = newRandom(t);
  const store = new Changing(t, random);
  for (let round = 0; round < 20; round++) {
    const turn = store.turns.length - 1;
    // Few, many, and more than can ever be caught up with.
    const busy = [0, 5, 700][random.below(3)]!;
    let isMade = false;
    const making = store.snapshots.make().finally(() => {
      isMade = true;
    });
    while (!isMade) {
      if (busy > 0) store.turn(1 + random.below(busy));
      await nextTurn();
    }
    await making;
    store.check(t, turn);
    for (let i = random.below(4); i > 0; i--) store.turn(random.below(20));
  }
});

t.test('what has not changed is not written again, until the file is long', async (t) => {
  const store = new Changing(t, newRandom(t));
  await store.snapshots.make();
  const first = store.length;
  store.turn(1);
  await store.snapshots.make();
  t.ok(store.length - first < 1000, `${store.length - first} bytes for one record`);
  let isShorter = false;
  for (let i = 0; i < 100 && !isShorter; i++) {
    store.turn(RECORDS);
    const before = store.length;
    await store.snapshots.make();
    isShorter = store.length < before;
  }
  t.ok(isShorter, 'it began anew');
  store.check(t, store.turns.length - 1);
});

t.test('after a pause in which nothing was noted, it is made of everything', async (t) => {
  const store = new Changing(t, newRandom(t));
  await store.snapshots.make();
  await store.snapshots.close();
  store.turn(100);
  await store.snapshots.make();
  store.check(t, store.turns.length - 1);
});

t.test('a section that was never finished does not count, one that is damaged does', async (t) => {
  const store = new Changing(t, newRandom(t));
  await store.snapshots.make();
  const turn = store.turns.length - 1;
  const first = store.length;
  store.turn(10);
  await store.snapshots.make();
  const path = join(store.directory, SNAPSHOT_FILE);
  const bytes = readFileSync(path);
  t.equal(readSnapshot(store.directory)!.turn, turn + 1);
  for (const end of [first, first + 3, first + 11]) {
    truncateSync(path, end);
    t.equal(readSnapshot(store.directory)!.turn, turn, `${end - first} bytes of it`);
    writeFileSync(path, bytes);
  }
  const unfinished = Buffer.from(bytes);
  unfinished.fill(0, first, first + 12);
  writeFileSync(path, unfinished);
  t.equal(readSnapshot(store.directory)!.turn, turn, 'no header');
  for (const at of [0, 40, first + 12, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    writeFileSync(path, damaged);
    t.throws(() => readSnapshot(store.directory), StoreError, `byte ${at}`);
  }
});

t.test('a section whose checksums are right and whose entries are not is damage', async (t) => {
  const directory = temporaryDirectory(t);
  const key = keyOf(Table.node, 1);
  const wrong: Record<string, Buffer> = {
    'an entry cut short': Buffer.concat([Buffer.alloc(4), key, Buffer.alloc(2)]),
    'a value longer than the section': Buffer.concat([Buffer.from([0, 0, 1, 0]), key]),
    'no facts': Buffer.concat([Buffer.alloc(4), key]),
  };
  for (const [what, entries] of Object.entries(wrong)) {
    const header = Buffer.alloc(12);
    header.writeUInt32BE(entries.length, 0);
    header.writeUInt32BE(crc32(entries), 4);
    header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
    writeFileSync(join(directory, SNAPSHOT_FILE), Buffer.concat([header, entries]));
    t.throws(() => readSnapshot(directory), StoreError, what);
  }
});
