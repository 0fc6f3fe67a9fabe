import '../namespace.ts';
import { createHash } from 'node:crypto';
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { Daemon, HOLDFAST, isMounted } from './daemon.ts';
import { established } from './established.ts';
import { Keystream } from './keystream.ts';
import { SEED } from './seed.ts';

/** Bytes that came in and nobody has read, to be found again in the store. */
const UNREAD = new Keystream(`${SEED}`).bytes(64);
/** LMDB's page, in bytes. */
const PAGE = 4096;
/** Locks; nobody's data. */
const LOCKS = ['lock', 'lock.mdb'];

/** The store's files by name, as digests. */
function digests(store: string): Record<string, string> {
  const names = readdirSync(store).filter((name) => !LOCKS.includes(name));
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(store, name)))
        .digest('hex'),
    ]),
  );
}

function edit(file: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file);
  change(bytes);
  writeFileSync(file, bytes);
}

const flip = (offset: number) => (bytes: Buffer) => {
  bytes[offset]! ^= 0x10;
};

/** All places where `bytes` has `part`. */
function occurrences(bytes: Buffer, part: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) found.push(at);
  return found;
}

t.test('a damaged store', async (t) => {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  socket.write(UNREAD);
  // One byte read is proof that the others are there as well.
  t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { status: 0 });
  t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
  const whole = join(daemon.directory, 'whole');
  cpSync(daemon.store, whole, { recursive: true });
  cpSync(`${daemon.store}.witness`, `${whole}.witness`);
  const data = join(daemon.store, 'data.mdb');
  const turn = join(daemon.store, 'turn');

  /** Damages a copy, and tries to mount it. */
  const mountDamaged = async (damage: () => void) => {
    rmSync(daemon.store, { recursive: true });
    cpSync(whole, daemon.store, { recursive: true });
    cpSync(`${whole}.witness`, `${daemon.store}.witness`);
    damage();
    const before = digests(daemon.store);
    const ended = await daemon.run(
      `timeout 20 '${process.execPath}' '${HOLDFAST}' mount net --daemon --log-file log`,
    );
    return { ended, before };
  };

  const refusals: Record<string, () => void> = {
    'data.mdb cut in half': () => truncateSync(data, readFileSync(data).length / 2),
    'data.mdb empty': () => truncateSync(data, 0),
    'turn cut short': () => truncateSync(turn, 20),
    'another layout version': () =>
      edit(turn, (bytes) => {
        bytes.writeUInt32BE(bytes.readUInt32BE(8) + 1, 8);
        bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
      }),
    'turn flipped at its beginning': () => edit(turn, flip(0)),
    'turn flipped in its number': () => edit(turn, flip(23)),
    'turn flipped at its end': () => edit(turn, flip(43)),
  };
  for (const [name, damage] of Object.entries(refusals)) {
    await t.test(`${name} is refused`, async (t) => {
      const { ended, before } = await mountDamaged(damage);
      t.match(ended.stderr, /^holdfast: .+\n$/, 'one line says why');
      t.not(ended.status, 0);
      t.not(ended.status, 124, 'without waiting for anything');
      t.same(digests(daemon.store), before, 'the store is untouched');
      t.notOk(await isMounted(daemon.mountpoint));
    });
  }

  /** Damages the store, and sees to it that it is refused or that nothing was lost. Resolves with whether it was refused. */
  const isRefused = async (t: Test, damage: () => void): Promise<boolean> => {
    const { ended, before } = await mountDamaged(damage);
    if (ended.status !== 0) {
      t.match(ended.stderr, /^holdfast: .+\n$/, 'one line says why');
      t.same(digests(daemon.store), before, 'the store is untouched');
      t.notOk(await isMounted(daemon.mountpoint));
      return true;
    }
    t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
    const { stdout } = await daemon.run('head -c 63 net/tcp/chat/data | sha256sum');
    t.equal(stdout.split(' ')[0], createHash('sha256').update(UNREAD.subarray(1)).digest('hex'));
    t.hasStrict(await daemon.unmount(), { status: 0 });
    return false;
  };

  await t.test('one flipped byte is refused, or was in no record', async (t) => {
    const bytes = readFileSync(join(whole, 'data.mdb'));
    // LMDB leaves older copies of a record in pages that are free now.
    const places = { chunk: UNREAD.subarray(32), name: Buffer.from('chat') };
    for (const [record, part] of Object.entries(places)) {
      let refused = 0;
      for (const place of occurrences(bytes, part)) {
        if (await isRefused(t, () => edit(data, flip(place)))) refused++;
      }
      t.ok(refused > 0, `the ${record} is guarded`);
    }
  });

  await t.test('data.mdb without its last pages is refused, were they free or not', async (t) => {
    const pages = statSync(join(whole, 'data.mdb')).size / PAGE;
    // The journal's own test cuts at every length; what a mount makes of it takes longer to see.
    for (const kept of [pages - 1, pages - 2, pages - 3, 3, 2, 1]) {
      t.ok(await isRefused(t, () => truncateSync(data, kept * PAGE)), `${kept} of ${pages}`);
    }
  });

  await t.test('the whole store is mounted', async (t) => {
    const { ended } = await mountDamaged(() => {});
    t.hasStrict(ended, { status: 0, stderr: '' });
    t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
  });
});
