import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { seeded } from '../seeded.ts';
import { until } from './condition.ts';
import { Daemon, HOST } from './daemon.ts';
import { established } from './established.ts';
import { SEED } from './seed.ts';

/** More than a connection's buffers hold. */
const TEXT_LENGTH = 16 * 2 ** 20;

/** What a window that is closed may still offer: the field counts in units, and an edge lies between two of them. */
const WINDOW_UNIT = 1024;

/** A small disk that only the daemon's store is on, and a file that can fill it. */
class Disk {
  readonly store: string;
  readonly #ballast: string;

  constructor(t: Test) {
    const directory = mkdtempSync('/tmp/holdfast-disk-');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', directory]);
    t.teardown(() => {
      execFileSync('umount', ['-l', directory]);
      rmdirSync(directory);
    });
    this.store = join(directory, 'store');
    this.#ballast = join(directory, 'ballast');
  }

  fill(): void {
    const page = Buffer.alloc(4096);
    const fd = openSync(this.#ballast, 'a');
    try {
      for (;;) writeSync(fd, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(fd);
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast);
  }
}

async function untilDisk(daemon: Daemon, state: 'ample' | 'full'): Promise<void> {
  await until(async () => (await daemon.status()).get('disk') === state);
}

function randomBytes(length: number): Buffer {
  const random = seeded(SEED);
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

t.test(
  'a full disk closes windows and refuses writes; nothing is lost, not even by a death',
  async (t) => {
    t.comment(`HOLDFAST_SEED=${SEED}`);
    const disk = new Disk(t);
    const daemon = await Daemon.start(t, '--store', disk.store);
    const peer = await established(t, daemon, 'chat', 9000);
    const text = randomBytes(TEXT_LENGTH);
    writeFileSync(join(daemon.directory, 'text'), text);
    disk.fill();
    peer.write(text);
    await untilDisk(daemon, 'full');

    const noSpace = { status: 1, stderr: /No space left on device/ };
    const refused = async (when: string) => {
      t.match(await daemon.run('echo hello > net/tcp/chat/data'), noSpace, `write ${when}`);
      t.match(
        await daemon.run(`mkdir -p net/tcp/call && echo ${HOST}:9 > net/tcp/call/connect`),
        noSpace,
        `connect ${when}`,
      );
      t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
    };
    await refused('on a full disk');
    await daemon.killEngine();
    await refused('after a death');

    const reading = daemon.shell(`head -c ${TEXT_LENGTH} < net/tcp/chat/data | cmp - text`);
    // What the peer has been told to send is read, and then there is nothing more to read.
    await until(async () => Number((await statusOf(daemon, 'chat')).get('RCV.WND')) < WINDOW_UNIT);
    t.ok(peer.writableLength > 0, 'the peer waits');
    disk.makeRoom();
    await untilDisk(daemon, 'ample');
    t.hasStrict(await reading.ended, { status: 0, stderr: '' });
    t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0, stderr: '' });
    peer.resume();
    const [answer] = await new Promise<Buffer[]>((resolve) => {
      peer.once('data', (...data) => resolve(data));
    });
    t.equal(String(answer), 'hello\n');
  },
);

t.test('a disk that takes nothing at all makes everybody wait', async (t) => {
  const disk = new Disk(t);
  const daemon = await Daemon.start(t, '--store', disk.store);
  disk.fill();
  const making = daemon.shell('mkdir net/tcp/c{1..4000}');
  await untilDisk(daemon, 'full');
  disk.fill();
  const log = join(daemon.directory, 'log');
  await until(() => readFileSync(log, 'utf8').includes('waiting for the disk'));
  disk.makeRoom();
  t.hasStrict(await making.ended, { status: 0, stderr: '' });
  await untilDisk(daemon, 'ample');
});

async function statusOf(daemon: Daemon, name: string): Promise<Map<string, string>> {
  const lines = (await daemon.read(`tcp/${name}/status`)).split('\n');
  return new Map(lines.map((line) => line.split(/\s+(.*)/) as [string, string]));
}
