import '../namespace.ts';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { storedTurn } from '../../persist/peer-records.ts';
import { TestDisk } from '../disk/disk.ts';
import { pretendOtherBoot } from '../persist/other-boot.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { countRsts, rsts } from './rst-counter.ts';

// Who waits for the disk looks once a second.
t.setTimeout(120_000);

const QUIET = { status: 0, stdout: '', stderr: '' };
const LINES = 5;

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

/** Writes lines, and each of them until it is taken: a disk that fails may count as full for a while. */
function write(first: number): string {
  const lines = `{${first}..${first + LINES - 1}}`;
  return `exec 2> /dev/null; for i in ${lines}; do until echo $i > net/tcp/chat/data; do sleep 0.1; done; done`;
}

/** A daemon whose store is on a disk of ours. */
async function start(t: Test): Promise<{ daemon: Daemon; disk: TestDisk }> {
  const disk = new TestDisk(t);
  const daemon = Daemon.prepare(t);
  daemon.environment = disk.environment(daemon.store);
  await daemon.mount();
  return { daemon, disk };
}

/** All that a socket is given, so far. */
function collect(socket: Socket): { text: string } {
  const received = { text: '' };
  socket.on('data', (bytes) => {
    received.text += String(bytes);
  });
  socket.resume();
  return received;
}

async function untilLogged(daemon: Daemon, line: RegExp): Promise<void> {
  await until(async () => readFileSync(join(daemon.directory, 'log'), 'utf8').match(line) !== null);
}

async function disk(daemon: Daemon): Promise<string | undefined> {
  return (await daemon.status()).get('disk');
}

t.test(
  'a disk that fails to sync: who is to outlive the host waits, everybody else goes on',
  async (t) => {
    const { daemon, disk: testDisk } = await start(t);
    countRsts();
    const careful = collect(await established(t, daemon, 'careful', 9000));
    const careless = collect(await established(t, daemon, 'careless', 9001));
    t.same(await daemon.run('echo power > net/tcp/careful/sockopts/durability'), QUIET);

    testDisk.fail('sync', 'EIO');
    const writing = daemon.shell(`for i in {1..${LINES}}; do echo $i > net/tcp/careful/data; done`);
    await until(async () => (await disk(daemon)) === 'failing');
    t.same(
      await daemon.run(`for i in {1..${LINES}}; do echo $i > net/tcp/careless/data; done`),
      QUIET,
    );
    await until(async () => careless.text === numbers(1, LINES));
    t.equal(careful.text, '', 'nothing leaves before it is on the disk');
    // The next engine cannot tell what of the store is on the disk, and writes nothing before it knows.
    process.kill(await daemon.enginePid(), 'SIGKILL');
    await untilLogged(daemon, /waiting for the disk/);

    testDisk.heal();
    t.same(await writing.ended, QUIET);
    await until(async () => careful.text === numbers(1, LINES));
    t.equal(await disk(daemon), 'ample');
    t.same(rsts(), { received: 0, sent: 0 });
  },
);

t.test(
  'a disk that takes its time to sync: who is to outlive the host waits, everybody else goes on',
  async (t) => {
    const { daemon, disk: testDisk } = await start(t);
    countRsts();
    const carefulSocket = await established(t, daemon, 'careful', 9000);
    const careful = collect(carefulSocket);
    const carelessSocket = await established(t, daemon, 'careless', 9001);
    const careless = collect(carelessSocket);
    t.same(await daemon.run('echo power > net/tcp/careful/sockopts/durability'), QUIET);

    testDisk.hold();
    const writing = daemon.shell('echo 1 > net/tcp/careful/data');
    carefulSocket.write('question\n');
    carelessSocket.write('question\n');
    t.same(await daemon.run('read -r question < net/tcp/careless/data; echo $question'), {
      ...QUIET,
      stdout: 'question\n',
    });
    const all = `for i in {1..${LINES}}; do echo $i > net/tcp/careless/data; done`;
    t.same(await daemon.run(all), QUIET);
    await until(async () => careless.text === numbers(1, LINES));
    t.equal(careful.text, '', 'nothing leaves before it is on the disk');

    testDisk.heal();
    t.same(await writing.ended, QUIET);
    await until(async () => careful.text === numbers(1, 1));
    t.same(await daemon.run('read -r question < net/tcp/careful/data; echo $question'), {
      ...QUIET,
      stdout: 'question\n',
    });
    t.same(rsts(), { received: 0, sent: 0 });
  },
);

t.test('a connection that is to outlive the host has come in when it is on the disk', async (t) => {
  const disk = new TestDisk(t);
  const daemon = Daemon.prepare(t);
  const store = join(daemon.directory, 'other.store');
  daemon.environment = disk.environment(store);
  await daemon.mount();
  const received = collect(await established(t, daemon, 'careful', 9000));
  t.same(await daemon.run('echo power > net/tcp/careful/sockopts/durability'), QUIET);
  t.same(await daemon.holdfast('export net careful > file'), QUIET);
  t.same(await daemon.unmount(), QUIET);

  // Nothing in this store is to outlive the host.
  await daemon.mount('--store', store);
  // No engine writes anything before its first checkpoint.
  t.same(await daemon.run('mkdir net/tcp/other'), QUIET);
  const pids = await daemon.pids();
  const file = await open(join(daemon.mountpoint, 'import'), 'r+');
  const turn = storedTurn(store);
  disk.hold();
  const importing = file.write(readFileSync(join(daemon.directory, 'file')));
  const told = importing.then(
    () => 'it has come in',
    () => 'nobody knows',
  );
  await until(() => storedTurn(store) > turn);
  await daemon.killBoth(pids);
  t.equal(await told, 'nobody knows');
  await file.close().catch(() => {});

  disk.heal();
  pretendOtherBoot(store, false);
  await daemon.mount('--store', store);
  t.match(await daemon.holdfast('import net < file'), { status: 0 });
  t.same(await daemon.run('echo hello > net/tcp/careful/data'), QUIET);
  await until(() => received.text === 'hello\n');
});

t.test(
  'a disk that fails to write makes everybody wait, and every effect happens once',
  async (t) => {
    const { daemon, disk: testDisk } = await start(t);
    countRsts();
    const received = collect(await established(t, daemon, 'chat', 9000));
    for (const [i, errno] of (['EIO', 'EROFS'] as const).entries()) {
      testDisk.fail('write', errno);
      const first = i * 2 * LINES + 1;
      const writing = daemon.shell(write(first));
      await untilLogged(
        daemon,
        errno === 'EIO' ? /waiting for the disk/ : /read-only file system/i,
      );
      testDisk.heal();
      t.same(await writing.ended, QUIET, errno);

      // Now and then one write fails, be it of pages, of a meta page, or of the number of the turn.
      testDisk.fail('write', errno, 23);
      t.same(await daemon.run(write(first + LINES)), QUIET, `${errno} now and then`);
      testDisk.heal();
    }
    await until(async () => received.text === numbers(1, 4 * LINES));
    t.same(rsts(), { received: 0, sent: 0 });
  },
);
