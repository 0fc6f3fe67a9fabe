import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { Control, type FromStandIn, type ToStandIn } from './control.ts';
import { controlOf } from './engine-process.ts';
import { openProcess, processExit } from './process-exit.ts';
import { type HeldDescriptors, startProcess } from './start-process.ts';

/** When to try again after the process has died, in milliseconds. */
const NEXT_MILLISECONDS = 5000;

/**
 * Has a process answer the peers while no engine does. The interface has one reader at a time: whoever lets an engine serve has to
 * `dismiss` it first.
 */
export class StandInPost {
  readonly #config: Config;
  readonly #held: HeldDescriptors;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #process: ChildProcess | undefined;
  /** Resolves when the last process is gone and has closed its descriptors. */
  #gone: Promise<void> = Promise.resolve();
  #isWanted = false;
  readonly #shut = new Set<number>();

  constructor(config: Config, held: HeldDescriptors, log: Logger) {
    this.#config = config;
    // It has no business with requests.
    this.#held = { ...held, fuse: undefined };
    this.#log = log;
  }

  /**
   * Has the process started, unless it is or will be.
   * @param delay milliseconds until then
   */
  call(delay: number): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#startIn(delay);
  }

  /** Connections whose peers have been told that their windows are closed. */
  get shut(): readonly number[] {
    return [...this.#shut];
  }

  /** An engine knows them. */
  forgetShut(): void {
    this.#shut.clear();
  }

  /** Resolves when nobody answers any more, and nobody will until the next `call`. */
  async dismiss(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
    await this.#gone;
  }

  #startIn(delay: number): void {
    this.#timer = setTimeout(() => this.#gone.then(() => this.#start()), delay);
  }

  #start(): void {
    if (!this.#isWanted || this.#process !== undefined) return;
    const child = startProcess('./stand-in-main.js', this.#held);
    if (child === undefined) {
      this.#log.error('no stand-in started: the host has no room for a process');
      this.#startIn(NEXT_MILLISECONDS);
      return;
    }
    this.#process = child;
    const handle = openProcess(child.pid!);
    let closed!: () => void;
    // What it has said before its end is there to be read after it.
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const control = new Control<ToStandIn, FromStandIn>(
      controlOf(child),
      ({ shut }) => this.#shut.add(shut),
      closed,
    );
    control.send({ config: this.#config, shut: this.shut });
    this.#gone = Promise.all([processExit(handle), closing]).then(() => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#startIn(NEXT_MILLISECONDS);
    });
  }
}
