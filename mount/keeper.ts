import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import { monotonicNow } from '../persist/clock.ts';
import type { Config } from './config.ts';
import type { Mounted, ToKeeper } from './control.ts';
import { EngineProcess, type HeldDescriptors } from './engine-process.ts';
import { mountFuse, negotiate } from './fuse/initialization.ts';
import { HostError } from './host-error.ts';
import { detach } from './mount-table.ts';
import { RestartPolicy } from './restart-policy.ts';
import { forgetTun } from './tun.ts';

/** How long an engine that was told to stop may take to finish its turn before it is killed, in milliseconds. */
const STOP_MILLISECONDS = 5000;

/** mount instances are exact as a JSON number and as a 64-bit field. */
const INSTANCES = 2 ** 48 - 1;

/**
 * Holds the FUSE and TUN descriptors, so that the kernel queues what it would otherwise fail, and sees to it that
 * an engine is serving them. It does nothing else: it should have no reason to die.
 */
export class Keeper {
  readonly #config: Config;
  readonly #held: HeldDescriptors;
  readonly #log: Logger;
  readonly #policy = new RestartPolicy();

  #mounted: Mounted | undefined;
  #engine: EngineProcess | undefined;
  #servingSince: number | undefined;
  #stopping = false;
  /** Whether the store still holds connections, as the last engine said when it stopped. */
  #connectionsLeft = true;
  #resolveEnded!: () => void;

  /** Resolves when the tree has been unmounted for good. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnded = resolve;
  });

  constructor(config: Config, held: HeldDescriptors, log: Logger) {
    this.#config = config;
    this.#held = held;
    this.#log = log;
  }

  /**
   * Restores the store in a first engine, and only then mounts: what cannot be restored leaves nothing mounted.
   * @throws HostError with one line for the user
   */
  async mount(): Promise<void> {
    const engine = await this.#firstEngine();
    mountFuse(this.#held.fuse, this.#config.mountpoint, { source: this.#config.store });
    try {
      const negotiated = negotiate(this.#held.fuse);
      this.#mounted = { instance: randomInt(1, INSTANCES), negotiated };
      this.#log.info({ mountpoint: this.#config.mountpoint, store: this.#config.store }, 'mounted');
    } catch (error) {
      detach(this.#config.mountpoint);
      engine.kill();
      throw error;
    }
    const serving = new Promise<void>((resolve, reject) => {
      this.#onServing = resolve;
      engine.exited.then(() => reject(new HostError('the engine died before it could serve')));
    });
    engine.control.send({ type: 'serve', mounted: this.#mounted });
    try {
      await serving;
    } catch (error) {
      detach(this.#config.mountpoint);
      throw error;
    }
    this.#watch(engine);
  }

  /** Takes over from a keeper that died: the engine is serving, and stays. */
  adopt(engine: EngineProcess, mounted: Mounted): void {
    this.#mounted = mounted;
    this.#servingSince = monotonicNow();
    this.#watch(engine);
  }

  /** What an adopted engine's messages are given to. */
  readonly onMessage = (message: ToKeeper): void => {
    switch (message.type) {
      case 'restored':
        this.#log.info(
          { connections: message.connections, milliseconds: message.milliseconds },
          'restored',
        );
        this.#onRestored?.();
        break;
      case 'refused':
        this.#refusal = message.message;
        break;
      case 'serving':
        this.#servingSince = monotonicNow();
        this.#onServing?.();
        break;
      case 'unmounted':
        this.stop();
        break;
      case 'stopped':
        this.#connectionsLeft = message.connections > 0;
        break;
    }
  };

  #onRestored: (() => void) | undefined;
  #onServing: (() => void) | undefined;
  #refusal: string | undefined;

  /** Unmounts; every connection stays in the store, to be carried on by the next mount. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const engine = this.#engine;
    if (engine === undefined) {
      this.#end();
      return;
    }
    engine.control.send({ type: 'stop' });
    const impatience = setTimeout(() => engine.kill(), STOP_MILLISECONDS);
    engine.exited.then(() => clearTimeout(impatience));
  }

  async #firstEngine(): Promise<EngineProcess> {
    const engine = this.#spawn();
    const restored = new Promise<void>((resolve) => {
      this.#onRestored = resolve;
    });
    const died = engine.exited.then(() => {
      throw new HostError(
        this.#refusal ??
          `the store ${this.#config.store} could not be read: the engine died over it; move it away or restore a copy`,
      );
    });
    await Promise.race([restored, died]);
    died.catch(() => {});
    return engine;
  }

  #spawn(): EngineProcess {
    const engine = EngineProcess.spawn(this.#held, this.onMessage);
    this.#servingSince = undefined;
    engine.control.send({
      type: 'restore',
      config: this.#config,
      keeperPid: process.pid,
      ...(this.#mounted && { mounted: this.#mounted }),
    });
    return engine;
  }

  #watch(engine: EngineProcess): void {
    this.#engine = engine;
    engine.exited.then(() => this.#afterDeath(engine));
  }

  #afterDeath(engine: EngineProcess): void {
    this.#engine = undefined;
    if (this.#stopping) {
      this.#end();
      return;
    }
    const served =
      this.#servingSince === undefined ? undefined : monotonicNow() - this.#servingSince;
    const delay = this.#policy.next(served);
    this.#log.warn({ pid: engine.pid, served, delay, reason: this.#refusal }, 'engine died');
    if (delay === undefined) {
      this.#log.fatal('engines keep dying; unmounting, the connections stay in the store');
      process.exitCode = 1;
      this.#end();
    } else if (delay === 0) {
      this.#watch(this.#spawn());
    } else {
      setTimeout(() => {
        if (!this.#stopping) this.#watch(this.#spawn());
      }, delay);
    }
  }

  #end(): void {
    detach(this.#config.mountpoint);
    // While peers may still send, a silent interface is better than none: the host would answer for us.
    if (!this.#connectionsLeft) forgetTun(this.#held.tun);
    this.#log.info({ mountpoint: this.#config.mountpoint }, 'unmounted');
    this.#resolveEnded();
  }
}
