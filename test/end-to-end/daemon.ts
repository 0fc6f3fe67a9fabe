import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { until } from './condition.ts';
import { hasEnded } from './processes.ts';
import { type Ended, Shell } from './shell.ts';

/** The command line as `npm run build` leaves it. */
export const HOLDFAST = join(import.meta.dirname, '../../dist/mount/cli.js');

/** The host's side of the TUN and the stack's own address. */
export const HOST = '10.7.0.1';
export const STACK = '10.7.0.2';

/** The same for IPv6, for a daemon that is started with `IPV6`. */
export const HOST6 = 'fd00:7::1';
export const STACK6 = 'fd00:7::2';
export const IPV6 = ['--address6', `${STACK6}/64`, '--host-address6', `${HOST6}/64`];

/** What a test needs to clean up after itself; tap's own. */
interface Teardown {
  teardown(handler: () => void | Promise<void>): unknown;
  passing(): boolean;
}

/**
 * A directory of its own with a Holdfast mounted at `net` in it, in the namespaces that the test file is in.
 * When the test ends, so do the programs it left, the mount and the directory.
 */
export class Daemon {
  /** Where `net` and `net.store` are, and where the snippets run. */
  readonly directory: string;
  readonly #program: string;
  readonly #crashDirectory: string;
  /** What runs the mount, from the next one on: nsenter(1), say, with its arguments. */
  inside: readonly string[] = [];
  /** What its processes have in their environment beyond ours, from the next mount on. */
  environment: Readonly<Record<string, string>> = {};
  readonly #shells: Shell[] = [];
  #isArmed = true;
  #mounter: ChildProcess | undefined;

  private constructor(directory: string, program: string) {
    this.directory = directory;
    this.#program = program;
    this.#crashDirectory = join(directory, 'crash');
    mkdirSync(this.#crashDirectory);
  }

  /** Makes the directory and mounts. */
  static async start(t: Teardown, ...options: string[]): Promise<Daemon> {
    return await Daemon.startProgram(t, HOLDFAST, ...options);
  }

  /** The same with another copy of the command line. */
  static async startProgram(t: Teardown, program: string, ...options: string[]): Promise<Daemon> {
    const daemon = Daemon.prepare(t, program);
    await daemon.mount(...options);
    return daemon;
  }

  /** The same, and no engine looks whether it is to die. */
  static async startUnarmed(t: Teardown, program: string, ...options: string[]): Promise<Daemon> {
    const daemon = Daemon.prepareUnarmed(t, program);
    await daemon.mount(...options);
    return daemon;
  }

  /** Makes the directory only. */
  static prepare(t: Teardown, program: string = HOLDFAST): Daemon {
    const daemon = new Daemon(mkdtempSync('/tmp/holdfast-'), program);
    t.teardown(() => daemon.#tearDown(t.passing()));
    return daemon;
  }

  /** The same, and no engine will look whether it is to die. */
  static prepareUnarmed(t: Teardown, program: string): Daemon {
    const daemon = Daemon.prepare(t, program);
    daemon.#isArmed = false;
    return daemon;
  }

  /** The same, and the first engine to pass each of `points` will die there. */
  static async startArmed(t: Teardown, ...points: CrashPoint[]): Promise<Daemon> {
    const daemon = Daemon.prepare(t);
    for (const point of points) daemon.arm(point);
    await daemon.mount();
    return daemon;
  }

  get mountpoint(): string {
    return join(this.directory, 'net');
  }

  get store(): string {
    return join(this.directory, 'net.store');
  }

  /** Mounts, and resolves when the tree is ready. */
  async mount(...options: string[]): Promise<void> {
    const words = [process.execPath, this.#program, 'mount', 'net', '--log-file', 'log'];
    const [program, ...rest] = [...this.inside, ...words, ...options];
    const mounter = spawn(program!, rest, {
      cwd: this.directory,
      env: {
        ...process.env,
        ...this.environment,
        ...(this.#isArmed && { HOLDFAST_CRASH_DIRECTORY: this.#crashDirectory }),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#mounter = mounter;
    await new Promise<void>((resolve, reject) => {
      let printed = '';
      mounter.stdout!.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (/^holdfast: ready/m.test(printed)) resolve();
      });
      mounter.once('exit', (code, signal) =>
        reject(new Error(`holdfast mount ended before it was ready: ${code ?? signal}`)),
      );
    });
  }

  /** Unmounts. The connections stay in the store. */
  async unmount(): Promise<Ended> {
    return await this.holdfast('umount net');
  }

  /** Runs the command line with `words`. It may die where engines may. */
  async holdfast(words: string): Promise<Ended> {
    const armed = this.#isArmed ? `HOLDFAST_CRASH_DIRECTORY='${this.#crashDirectory}' ` : '';
    return await this.run(`${armed}exec '${process.execPath}' '${this.#program}' ${words}`);
  }

  /**
   * Starts a bash snippet in the directory.
   * @param stdin whether it is told things
   */
  shell(script: string, stdin: 'ignore' | 'pipe' = 'ignore'): Shell {
    const shell = new Shell(script, this.directory, [], stdin);
    this.#shells.push(shell);
    return shell;
  }

  /** Runs a bash snippet in the directory to its end. */
  async run(script: string): Promise<Ended> {
    return await this.shell(script).ended;
  }

  /** What a file of the tree says, without the newline at its end. Waits while no engine runs. */
  async read(path: string): Promise<string> {
    return (await readFile(join(this.mountpoint, path), 'utf8')).replace(/\n$/, '');
  }

  /** The tree's `status` as it is now. */
  async status(): Promise<Map<string, string>> {
    const lines = (await this.read('status')).split('\n');
    return new Map(lines.map((line) => line.split(/\s+(.*)/) as [string, string]));
  }

  async #number(key: string): Promise<number> {
    const text = (await this.status()).get(key);
    if (text === undefined) throw new Error(`status has no ${key}`);
    return Number(text);
  }

  /** How many engines this store has had. */
  epoch(): Promise<number> {
    return this.#number('epoch');
  }

  enginePid(): Promise<number> {
    return this.#number('engine_pid');
  }

  keeperPid(): Promise<number> {
    return this.#number('keeper_pid');
  }

  /** Resolves when the epoch has come to `epoch`. */
  async untilEpoch(epoch: number): Promise<void> {
    await until(async () => (await this.epoch()) >= epoch);
  }

  /** Kills the engine with SIGKILL, and resolves when the next one serves. */
  async killEngine(): Promise<void> {
    const status = await this.status();
    process.kill(Number(status.get('engine_pid')), 'SIGKILL');
    await this.untilEpoch(Number(status.get('epoch')) + 1);
  }

  /** Of keeper and engine. */
  async pids(): Promise<readonly number[]> {
    const status = await this.status();
    return [Number(status.get('keeper_pid')), Number(status.get('engine_pid'))];
  }

  /**
   * Kills keeper and engine with SIGKILL, neither of them having the time to miss the other.
   * @param pids theirs, if there is nobody to ask: an engine that waits for the disk answers nothing
   */
  async killBoth(pids?: readonly number[]): Promise<void> {
    pids ??= await this.pids();
    for (const signal of ['SIGSTOP', 'SIGKILL']) {
      for (const pid of pids) process.kill(pid, signal);
    }
    await until(() => pids.every(hasEnded));
  }

  /** The next process to pass `point` dies there, or the one that passes it for the `pass`th time from now. */
  arm(point: CrashPoint, pass = 1): void {
    writeFileSync(join(this.#crashDirectory, point), `${pass}`);
  }

  /** Nobody dies at `point` any more. */
  disarm(point: CrashPoint): void {
    rmSync(join(this.#crashDirectory, point), { force: true });
  }

  /** Whether no process has come to `point` since it was armed. */
  armed(point: CrashPoint): boolean {
    return existsSync(join(this.#crashDirectory, point));
  }

  async #tearDown(passing: boolean): Promise<void> {
    if (!passing) process.stderr.write(readFileSync(join(this.directory, 'log')));
    for (const shell of this.#shells) shell.kill();
    if (await isMounted(this.mountpoint)) {
      const { status, stderr } = await this.unmount();
      if (status !== 0) process.stderr.write(`umount: ${status} ${stderr}\n`);
    }
    await Promise.all(this.#shells.map((shell) => shell.ended));
    this.#mounter?.stdout?.destroy();
    rmSync(this.directory, { recursive: true });
  }
}

/** Whether something is mounted at `path`, as this mount namespace sees it. */
export async function isMounted(path: string): Promise<boolean> {
  // proc(5), mountinfo: the fifth field is the mountpoint.
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === path);
}
