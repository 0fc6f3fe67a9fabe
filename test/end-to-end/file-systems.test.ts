import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { seeded } from '../seeded.ts';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { killRepeatedly } from './kill-repeatedly.ts';
import { untilAsking } from './processes.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };
const SIZE = 4 * MIB;
const KILLS = 4;
const LINES = 100;

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

/** A file system of the test's own. */
class FileSystem {
  readonly directory = mkdtempSync('/tmp/holdfast-file-system-');
  readonly root = join(this.directory, 'root');
  readonly #mounts: readonly string[];

  /** @param mounts how it is mounted, as the words of mount(8) before the mountpoint, relative to `directory` */
  constructor(t: Test, prepare: string, ...mounts: string[]) {
    this.#mounts = mounts;
    t.teardown(() => {
      this.unmount();
      this.run('if mountpoint -q layers; then umount layers; fi');
      rmSync(this.directory, { recursive: true });
    });
    mkdirSync(this.root);
    this.run(prepare);
    this.mount();
  }

  mount(): void {
    for (const words of this.#mounts) this.run(`mount ${words} root`);
  }

  unmount(): void {
    for (const _ of this.#mounts) this.run('umount root');
  }

  run(script: string): void {
    execFileSync('bash', ['-c', `PATH=$PATH:/usr/sbin:/sbin; ${script}`], { cwd: this.directory });
  }
}

const IMAGE = 'truncate -s 128M image && mkfs.ext4 -q image';

const FILE_SYSTEMS: Record<string, (t: Test) => FileSystem> = {
  tmpfs: (t) => new FileSystem(t, 'true', '-t tmpfs -o size=128m tmpfs'),
  ext4: (t) => new FileSystem(t, IMAGE, '-o loop image'),
  overlayfs: (t) =>
    new FileSystem(
      t,
      'mkdir layers && mount -t tmpfs tmpfs layers && mkdir layers/{lower,upper,work}',
      '-t overlay -o lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work overlay',
    ),
};

/** Loop devices are the kernel's to give, not a namespace's. */
const skip = existsSync('/dev/loop-control') ? false : 'no loop devices';

for (const [name, make] of Object.entries(FILE_SYSTEMS)) {
  t.test(`a store on ${name}`, { skip: name === 'ext4' && skip }, async (t) => {
    t.comment(`HOLDFAST_SEED=${SEED}`);
    const fileSystem = make(t);
    const options = ['--store', join(fileSystem.root, 'store')];
    const daemon = await Daemon.start(t, ...options);
    countRsts();
    const careful = await established(t, daemon, 'careful', 9001);
    t.same(await daemon.run('echo power > net/tcp/careful/sockopts/durability'), QUIET);
    careful.write(numbers(1, LINES));

    const bulk = new Bulk(daemon, 'bulk', SIZE, SEED);
    const gate = new Gate();
    const transfer = bulk.run(9000, gate);
    const random = seeded(SEED);
    t.comment(
      await killRepeatedly(daemon, KILLS, random, (killed) => {
        // None falls when the connection ends: who sends again then, because it was dead, may well be answered with RST.
        const part = Math.floor((2 * SIZE) / (KILLS + 1));
        gate.open((killed + 1) * part);
        return bulk.untilProgress(killed * part + random(part / 2));
      }),
    );
    gate.open(Number.POSITIVE_INFINITY);
    cameThrough(t, await transfer);
    t.same(rsts(), { received: 0, sent: 0 });

    await daemon.killBoth();
    await daemon.mount(...options);
    t.match(await daemon.run(`head -c ${numbers(1, LINES).length} net/tcp/careful/data`), {
      ...QUIET,
      stdout: numbers(1, LINES),
    });
    t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
    t.hasStrict(await daemon.holdfast(`check ${options[1]}`), { status: 0, stderr: '' });
  });
}

t.test(
  'a file system that turns read-only and is mounted again: what had to be on the disk is there',
  { skip },
  async (t) => {
    const fileSystem = new FileSystem(t, IMAGE, '-o loop image');
    const options = ['--store', join(fileSystem.root, 'store')];
    const daemon = await Daemon.start(t, ...options);
    countRsts();
    const careful = await established(t, daemon, 'careful', 9000);
    await established(t, daemon, 'careless', 9001);
    t.same(await daemon.run('echo power > net/tcp/careful/sockopts/durability'), QUIET);
    careful.write(numbers(1, LINES));
    t.match(await daemon.run('exec 3< net/tcp/careful/data; read -r first <&3; echo $first'), {
      ...QUIET,
      stdout: '1\n',
    });
    let received = '';
    careful.on('data', (bytes) => {
      received += String(bytes);
    });
    careful.resume();
    t.same(await daemon.run('echo before > net/tcp/careful/data'), QUIET);
    await until(() => received === 'before\n');

    const pids = await daemon.pids();
    // ext4 does this by itself when its own journal cannot be written (ext4(5), errors=remount-ro).
    fileSystem.run('mount -o remount,abort root');
    const writing = daemon.shell('echo lost > net/tcp/careful/data');
    await untilAsking(writing.process.pid!);
    const log = join(daemon.directory, 'log');
    await until(() =>
      /the disk does not take|waiting for the disk/.test(readFileSync(log, 'utf8')),
    );
    t.equal(received, 'before\n', 'nothing leaves that is not on the disk');
    await daemon.killBoth(pids);
    t.match(await writing.ended, { status: 1, stderr: /connection abort/ });
    t.same(await daemon.run('umount net'), QUIET);
    fileSystem.unmount();
    // It corrects what the file system was in the middle of, and says so by its status.
    fileSystem.run('e2fsck -fy image > /dev/null 2>&1 || [ $? -eq 1 ]');
    fileSystem.mount();

    const refused = await daemon.holdfast(`mount net --tun other ${options.join(' ')}`);
    t.hasStrict(refused, { status: 1, stdout: '' });
    t.match(refused.stderr, /^holdfast: .*--after-crash.*\n$/);
    await daemon.mount(...options, '--after-crash');
    t.match(await daemon.read('tcp/careless/error'), /^ECONNABORTED/);
    t.match(await daemon.run('read -r next < net/tcp/careful/data; echo $next'), {
      ...QUIET,
      stdout: '2\n',
    });
    t.same(await daemon.run('echo after > net/tcp/careful/data'), QUIET);
    await until(() => received === 'before\nafter\n');
    await daemon.killEngine();
    t.equal(await daemon.read('tcp/careful/state'), 'ESTABLISHED', 'that was for one engine');
  },
);
