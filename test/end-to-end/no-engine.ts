import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { children, hasEnded } from './processes.ts';
import { ProgramCopy } from './program-copy.ts';

const ENGINE = 'mount/engine-main.js';
const STAND_IN = 'mount/stand-in-main.js';

/** A daemon whose engine can be taken away for as long as one likes. */
export class NoEngine {
  readonly daemon: Daemon;
  readonly #program: ProgramCopy;
  readonly #keeper: number;
  /** The process in the place of the engine. */
  #idler = 0;

  private constructor(daemon: Daemon, program: ProgramCopy, keeper: number) {
    this.daemon = daemon;
    this.#program = program;
    this.#keeper = keeper;
  }

  static async start(
    t: ConstructorParameters<typeof ProgramCopy>[0] & Parameters<typeof Daemon.startProgram>[0],
    ...options: string[]
  ): Promise<NoEngine> {
    const program = new ProgramCopy(t);
    const daemon = await Daemon.startProgram(t, program.path, ...options);
    const noEngine = new NoEngine(daemon, program, await daemon.keeperPid());
    t.teardown(() => noEngine.#release());
    return noEngine;
  }

  /** From now on nobody stands in for an engine. */
  withoutStandIn(): void {
    this.#program.replace(STAND_IN, '');
  }

  /** Kills the engine. The next one does nothing, for ever. */
  async take(): Promise<void> {
    const { daemon } = this;
    this.#program.replace(ENGINE, 'setInterval(() => {}, 1e6);');
    // The spare that there is has loaded its code already.
    await daemon.killEngine();
    const engine = await daemon.enginePid();
    this.#idler = await until(() => children(this.#keeper).find((pid) => pid !== engine));
    process.kill(engine, 'SIGKILL');
  }

  /** The process that stands in, if one does. */
  get standIn(): number | undefined {
    return standInUnder(this.#keeper);
  }

  /** Has an engine serve again. */
  async giveBack(): Promise<void> {
    this.#program.build();
    this.#release();
    await this.daemon.enginePid();
  }

  #release(): void {
    if (this.#idler !== 0 && !hasEnded(this.#idler)) process.kill(this.#idler, 'SIGKILL');
    this.#idler = 0;
  }
}

/** @returns what gives the process that stands in for an engine of `daemon`, which serves now, if one does */
export async function standInOf(daemon: Daemon): Promise<() => number | undefined> {
  const keeper = await daemon.keeperPid();
  return () => standInUnder(keeper);
}

function standInUnder(keeper: number): number | undefined {
  return children(keeper).find((pid) => commandLine(pid).includes(STAND_IN));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * How often in a row the kernel's side of the connections to `port` here has sent again, or probed, without getting on: for each of
 * them.
 */
export function backoffs(port: number): number[] {
  return socketNumbers(port, 'backoff');
}

/** How many segments the kernel has sent or received for the connections to `port` here, together. */
export function segments(port: number, direction: 'segs_in' | 'segs_out'): number {
  return socketNumbers(port, direction).reduce((sum, count) => sum + count, 0);
}

function socketNumbers(port: number, name: string): number[] {
  const text = execFileSync('ss', ['-tinH', `sport = ${port}`], { encoding: 'utf8' });
  return [...text.matchAll(new RegExp(`\\b${name}:(\\d+)`, 'g'))].map(([, count]) => Number(count));
}
