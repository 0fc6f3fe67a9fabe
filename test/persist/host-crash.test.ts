import fs, { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE, SNAPSHOT_FILE, TURN_FILE } from '../../persist/layout.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents } from './contents.ts';
import { pretendOtherBoot } from './other-boot.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A store with a node, a connection, a chunk; closed, so that what is saved of it is of its last turn. */
async function makeStore(t: Test): Promise<string> {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  for (let id = 1; id <= 200; id++) {
    journal.put(Table.node, id, 0, Buffer.from(`node ${id}`));
    journal.put(Table.connection, id, 0, Buffer.alloc(500, id));
  }
  journal.put(Table.sendChunk, 1, 0, Buffer.from('text'));
  journal.facts.nextId = 201;
  journal.commit();
  await journal.close();
  return directory;
}

/** The host goes down with the store in use, or its disk alone: of data.mdb anything may be left. */
async function crash(
  t: Test,
  directory: string,
  boot: 'another' | 'the same' = 'another',
): Promise<string> {
  const journal = Journal.open(directory);
  journal.put(Table.node, 1000, 0, Buffer.from('never saved'));
  journal.commit();
  const image = join(temporaryDirectory(t), 'image');
  cpSync(directory, image, { recursive: true });
  await journal.close();
  if (boot === 'another') pretendOtherBoot(image, false);
  writeFileSync(join(image, DATA_FILE), Buffer.alloc(100_000, 0xa5));
  return image;
}

t.test('durability process: a crash of the host leaves the newest snapshot', async (t) => {
  const directory = await makeStore(t);
  const image = await crash(t, directory);
  const journal = Journal.open(image);
  t.equal(journal.restoredFrom, 'snapshot');
  t.ok(journal.hostWentDown);
  const records = contents(journal);
  t.equal(Object.keys(records).length, 400, 'nodes and connections, without the streams');
  t.equal(records[`${Table.node}/200/0`], Buffer.from('node 200').toString('hex'));
  t.ok(journal.facts.nextId > 2000, 'no id is used again that may have been given since');

  journal.put(Table.node, 1, 0, Buffer.from('new'));
  const turn = journal.commit();
  await journal.close();
  const again = Journal.open(image);
  t.equal(again.restoredFrom, 'last turn');
  t.equal(again.facts.turn, turn);
  t.equal(contents(again)[`${Table.node}/1/0`], Buffer.from('new').toString('hex'));
  await again.close();
});

t.test('a disk that went down alone: the store is refused, unless that is said', async (t) => {
  const image = await crash(t, await makeStore(t), 'the same');
  t.throws(() => Journal.open(image), { name: 'StoreError', message: /--after-crash/ });
  const journal = Journal.open(image, { afterCrash: true });
  t.equal(journal.restoredFrom, 'snapshot');
  t.ok(journal.hostWentDown);
  t.equal(Object.keys(contents(journal)).length, 400);
  const turn = journal.commit();
  await journal.close();
  const again = Journal.open(image);
  t.equal(again.restoredFrom, 'last turn');
  t.equal(again.facts.turn, turn);
  await again.close();
});

t.test('until all of it is committed, the next engine salvages again', async (t) => {
  const image = await crash(t, await makeStore(t));
  for (let engine = 0; engine < 3; engine++) {
    const journal = Journal.open(image);
    t.equal(journal.restoredFrom, 'snapshot');
    t.equal(Object.keys(contents(journal)).length, 400);
    const killed = join(temporaryDirectory(t), `${engine}`);
    cpSync(image, killed, { recursive: true });
    await journal.close();
    if (engine === 1) continue;
    rmSync(image, { recursive: true });
    cpSync(killed, image, { recursive: true });
  }
});

t.test('a damaged snapshot is refused', async (t) => {
  const image = await crash(t, await makeStore(t));
  const path = join(image, SNAPSHOT_FILE);
  const bytes = readFileSync(path);
  for (const at of [0, 3, bytes.length >> 1, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 0x10;
    writeFileSync(path, damaged);
    t.throws(() => Journal.open(image), StoreError);
  }
  for (const length of [0, 1, 3, bytes.length - 1]) {
    writeFileSync(path, bytes);
    truncateSync(path, length);
    t.throws(() => Journal.open(image), StoreError);
  }
  writeFileSync(path, bytes);
  await Journal.open(image).close();
});

t.test('before anything is saved, a crash leaves nothing', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  journal.put(Table.node, 1, 0, Buffer.from('node'));
  journal.commit();
  const image = join(temporaryDirectory(t), 'image');
  cpSync(directory, image, { recursive: true });
  await journal.close();
  t.notOk(existsSync(join(image, SNAPSHOT_FILE)));
  pretendOtherBoot(image, false);
  const empty = Journal.open(image);
  t.equal(empty.restoredFrom, 'nothing');
  t.same(contents(empty), {});
  empty.commit();
  await empty.close();
});

t.test('a store that was closed is whole after a crash of the host', async (t) => {
  const directory = await makeStore(t);
  pretendOtherBoot(directory, true);
  const journal = Journal.open(directory);
  t.equal(journal.restoredFrom, 'last turn');
  t.equal(Object.keys(contents(journal)).length, 401);
  await journal.close();
});

t.test(
  'a store that was closed loses nothing when the host crashes while it is opened',
  async (t) => {
    const directory = join(temporaryDirectory(t), 'store');
    const first = Journal.open(directory, { durability: 'power' });
    first.put(Table.node, 1, 0, Buffer.from('saved'));
    first.commit();
    await new Promise<void>((resolve) => {
      first.onSynced = resolve;
      first.sync();
    });
    first.put(Table.node, 1, 0, Buffer.from('saved by the closing'));
    first.commit();
    const closed = contents(first);
    await first.close();
    pretendOtherBoot(directory, true);

    const images: string[] = [];
    const { fsyncSync } = fs;
    const base = temporaryDirectory(t);
    const takeImage = () => {
      images.push(join(base, `${images.length}`));
      cpSync(directory, images.at(-1)!, { recursive: true });
    };
    t.teardown(() => {
      fs.fsyncSync = fsyncSync;
      syncBuiltinESMExports();
    });
    fs.fsyncSync = (fd) => {
      takeImage();
      fsyncSync(fd);
      takeImage();
    };
    syncBuiltinESMExports();
    const second = Journal.open(directory, { durability: 'power' });
    t.ok(images.length > 2);
    for (const image of [...images]) {
      pretendOtherBoot(image, readFileSync(join(image, TURN_FILE))[13] === 1);
      const journal = Journal.open(image);
      t.same(contents(journal), closed);
      await journal.close();
    }
    await second.close();
  },
);

t.test('a store that was made with durability power is whole from its first turn on', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory, { durability: 'power' });
  journal.put(Table.node, 1, 0, Buffer.from('never saved'));
  journal.commit();
  const image = join(temporaryDirectory(t), 'image');
  cpSync(directory, image, { recursive: true });
  await journal.close();
  pretendOtherBoot(image, false);
  const restored = Journal.open(image);
  t.equal(restored.restoredFrom, 'checkpoint');
  await restored.close();
});

t.test('from checkpoints to snapshots and back, the newest is what counts', async (t) => {
  const directory = await makeStore(t);
  const journal = Journal.open(directory, { durability: 'power' });
  const put = (text: string): number => {
    journal.put(Table.node, 1, 0, Buffer.from(text));
    return journal.commit();
  };
  const left = (data: Buffer) => {
    const image = join(temporaryDirectory(t), 'image');
    cpSync(directory, image, { recursive: true });
    writeFileSync(join(image, DATA_FILE), data);
    pretendOtherBoot(image, false);
    const restored = Journal.open(image);
    const { restoredFrom } = restored;
    const text = Buffer.from(contents(restored)[`${Table.node}/1/0`]!, 'hex').toString();
    return { restored, restoredFrom, text };
  };
  const synced = async () => {
    await new Promise<void>((resolve) => {
      journal.onSynced = resolve;
      journal.sync();
    });
    return readFileSync(join(directory, DATA_FILE));
  };
  put('first');
  const data = await synced();
  for (let i = 0; i < 20; i++) put('not synced');
  const checkpoint = left(data);
  t.match(checkpoint, { restoredFrom: 'checkpoint', text: 'first' });
  await checkpoint.restored.close();

  journal.durability = 'process';
  put('second');
  await journal.close();
  const garbage = Buffer.alloc(100_000, 0xa5);
  const snapshot = left(garbage);
  t.match(snapshot, { restoredFrom: 'snapshot', text: 'second' });
  await snapshot.restored.close();
});
