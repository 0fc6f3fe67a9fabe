import '../namespace.ts';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ToyMount } from './toy-mount.ts';
import type { ToyState } from './toy-tree.ts';

const ENGINE = fileURLToPath(new URL('./toy-engine-main.ts', import.meta.url));

type Moment = 'before-commit' | 'after-commit' | undefined;

/** Holds /dev/fuse, as a keeper does, and starts engines. */
class ToyKeeper {
  readonly mount = new ToyMount();
  readonly #directory = mkdtempSync(join(tmpdir(), 'holdfast-toy-state-'));
  readonly #state = join(this.#directory, 'state');
  #engine: ChildProcess | undefined;

  /** @param die when the engine is to kill itself */
  start(die?: Moment): void {
    const { negotiated, instance, fuse } = this.mount;
    const options = { negotiated, instance, state: this.#state, die };
    this.#engine = spawn(process.execPath, ['--import=tsx', ENGINE], {
      stdio: ['ignore', 'inherit', 'inherit', fuse, 'ipc'],
      env: { ...process.env, HOLDFAST_TOY: JSON.stringify(options) },
    });
  }

  /** Resolves when the engine has died of its own. */
  async died(): Promise<void> {
    const engine = this.#engine!;
    if (engine.signalCode === null) await new Promise((resolve) => engine.on('exit', resolve));
  }

  async kill(): Promise<void> {
    const died = this.died();
    this.#engine!.kill('SIGKILL');
    await died;
  }

  /** Has news for whoever waits. */
  news(): void {
    this.#engine!.send('news');
  }

  /** What the engines have committed. */
  get state(): ToyState | undefined {
    return existsSync(this.#state) ? JSON.parse(readFileSync(this.#state, 'utf8'))[0] : undefined;
  }

  /** The committed records of a table of the journal. */
  records(table: number): unknown[] {
    const [, journal] = JSON.parse(readFileSync(this.#state, 'utf8'));
    return (JSON.parse(journal) as unknown[][]).filter((record) => record[1] === table);
  }

  async end(): Promise<void> {
    await this.kill();
    this.mount.end();
    rmSync(this.#directory, { recursive: true });
  }
}

function keep(t: Test): ToyKeeper {
  const keeper = new ToyKeeper();
  t.teardown(() => keeper.end());
  return keeper;
}

interface Program {
  readonly process: ChildProcess;
  readonly output: Promise<string>;
}

/** A program in the mount, its output and what it said of failures. */
function run(keeper: ToyKeeper, script: string): Program {
  const child = spawn('bash', ['-c', `exec 2>&1\ncd ${keeper.mount.path} || exit\n${script}`]);
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  const output = new Promise<string>((resolve) => {
    child.on('close', () => resolve(text));
  });
  return { process: child, output };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Whether the process sleeps in a request to the engine (proc_pid_stack(5)). */
function waits({ process }: Program): boolean {
  return readFileSync(`/proc/${process.pid}/stack`, 'utf8').includes('fuse_');
}

t.test('programs that wait do not notice a new engine', async (t) => {
  const keeper = keep(t);
  keeper.start();
  const readers = [1, 2, 3].map(() => run(keeper, 'exec head -c 5 queue'));
  for (let engines = 0; engines < 3; engines += 1) {
    await until(() => readers.every(waits) && keeper.state?.handles.length === 3);
    await keeper.kill();
    keeper.start();
  }
  for (const _ of readers) {
    const before = keeper.state!.handles.length;
    keeper.news();
    await until(() => keeper.state!.handles.length < before);
  }
  for (const reader of readers) t.equal(await reader.output, 'news\n');
});

for (const die of ['before-commit', 'after-commit'] as const) {
  t.test(`each effect happens once when the engine dies ${die}`, async (t) => {
    const keeper = keep(t);
    keeper.start();
    const prepared = run(keeper, 'cat counter; mkdir a; echo 0 > queue');
    t.equal(await prepared.output, '1\n');
    await keeper.kill();
    const programs: [script: string, output: string][] = [
      ['cat counter', '2\n'],
      ['echo 12 > queue; cat counter', '3\n'],
      ['mkdir b; echo $?; cat counter', '0\n4\n'],
      ['rmdir a; echo $?; cat counter', '0\n5\n'],
      ['head -c 5 queue; cat counter', '0\n12\n6\n'],
    ];
    for (const [script, expected] of programs) {
      keeper.start(die);
      const program = run(keeper, script);
      // Each death comes with one more request, until the program has ended.
      let ended = false;
      program.process.on('exit', () => {
        ended = true;
      });
      await keeper.died();
      while (!ended) {
        keeper.start();
        await until(() => ended);
        await keeper.kill();
      }
      t.equal(await program.output, expected);
    }
    t.equal(keeper.state!.counter, 6);
    t.same(
      keeper.state!.directories.map(([name]) => name),
      ['b'],
    );
    t.equal(keeper.state!.queue, '');
  });
}

t.test('a dial goes on where it was', async (t) => {
  const keeper = keep(t);
  keeper.start();
  const dialer = run(keeper, 'echo x > dial; echo $?');
  await until(() => keeper.state?.dials === 1);
  for (let engines = 0; engines < 2; engines += 1) {
    await keeper.kill();
    keeper.start();
  }
  keeper.news();
  await until(() => keeper.state?.answered === true);
  t.equal(await dialer.output, '0\n');
  t.equal(keeper.state!.dials, 1);
  await until(() => keeper.records(8).length === 0);
});

t.test('a program in poll wakes up when what it waits for comes after a kill', async (t) => {
  const keeper = keep(t);
  keeper.start();
  const waiter = run(
    keeper,
    `exec python3 -c "
import os, select
f = os.open('queue', os.O_RDWR | os.O_NONBLOCK)
p = select.poll()
p.register(f, select.POLLIN)
p.poll()
print(os.read(f, 100).decode(), end='')
"`,
  );
  await until(() => keeper.state !== undefined && keeper.records(9).length === 1);
  await keeper.kill();
  keeper.start();
  await until(() => waiter.process.exitCode === null);
  keeper.news();
  t.equal(await waiter.output, 'news\n');
});

t.test('a reader killed while no engine runs takes nothing', async (t) => {
  const keeper = keep(t);
  keeper.start();
  const reader = run(keeper, 'exec cat queue');
  await until(() => waits(reader) && keeper.state?.handles.length === 1);
  await keeper.kill();
  reader.process.kill('SIGKILL');
  keeper.start();
  await reader.output;
  keeper.news();
  t.equal(await run(keeper, 'exec head -c 5 queue').output, 'news\n');
});
