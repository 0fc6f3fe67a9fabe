import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { monotonicNow } from '../persist/clock.ts';
import { isSameLayout } from '../persist/store-layout.ts';
import type { Config } from './config.ts';
import type { Mounted } from './control.ts';
import type { Driver } from './driver.ts';
import { DRIVERS } from './drivers.ts';
import { EngineProcess } from './engine-process.ts';
import { HostError } from './host-error.ts';
import { detach } from './mount-table.ts';
import { RestartPolicy } from './restart-policy.ts';
import { StandInPost } from './stand-in-post.ts';
import type { HeldDescriptors } from './start-process.ts';
import { forgetTun } from './tun.ts';

/** How long an engine that was told to stop may take to finish its turn before it is killed, in milliseconds. */
const STOP_MILLISECONDS = 5000;

/** How long each step of an upgrade may take before the old engine goes on, in milliseconds. */
const UPGRADE_STEP_MILLISECONDS = 10_000;

/** How long one may take that was told to freeze, in milliseconds. */
const FREEZE_MILLISECONDS = 20_000;

/** How long the next engine may take to read a store of another layout, while peers are answered, in milliseconds. */
const CARRY_OVER_MILLISECONDS = 600_000;

/** When to try again to start an engine after the host had no room for one, in milliseconds. */
const NEXT_START_MILLISECONDS = 1000;

/** After how long without an engine peers are answered by somebody else, in milliseconds. */
const STAND_IN_MILLISECONDS = 1000;

/** When to try again to have a spare after one has died, in milliseconds. */
const NEXT_SPARE_MILLISECONDS = 5000;

/**
 * Holds the FUSE descriptor, if there is one to hold, and the TUN, so that the kernel queues what it would otherwise fail, and sees to it that
 * an engine is serving them. It does nothing else: it should have no reason to die.
 */
export class Keeper {
  readonly #config: Config;
  readonly #held: HeldDescriptors;
  readonly #log: Logger;
  readonly #driver: Driver;
  readonly #policy = new RestartPolicy();
  readonly #standIn: StandInPost;

  #mounted: Mounted | undefined;
  #engine: EngineProcess | undefined;
  /** When `#engine` began to serve. */
  #servingSince: number | undefined;
  /** The next engine. It has loaded its code, which takes longer than everything else about a restart. */
  #spare: EngineProcess | undefined;
  #stopping = false;
  /** The engine of the code that is on the disk now, until it takes over. */
  #successor: EngineProcess | undefined;
  #freezing = false;
  /** No engine is to serve before `thaw`. */
  #frozen = false;
  #resolveEnded!: () => void;

  /** Resolves when the tree has been unmounted for good. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnded = resolve;
  });

  constructor(config: Config, held: HeldDescriptors, log: Logger) {
    this.#config = config;
    this.#held = held;
    this.#log = log;
    this.#driver = DRIVERS[config.driver];
    this.#standIn = new StandInPost(config, held, log);
  }

  /**
   * Restores the store in a first engine, and only then mounts: what cannot be restored leaves nothing mounted.
   * @throws HostError with one line for the user
   */
  async mount(): Promise<void> {
    const engine = EngineProcess.spawn(this.#held);
    this.#restore(engine, false);
    await engine.hasSaid('restored').catch(() => {
      throw new HostError(
        engine.said('refused')?.message ??
          `the store ${this.#config.store} could not be read: the engine died over it; move it away or restore a copy`,
      );
    });
    this.#mounted = this.#driver.mount(this.#held.fuse, this.#config);
    try {
      this.#serve(engine);
      await engine.hasSaid('serving').catch(() => {
        throw new HostError(
          engine.said('refused')?.message ?? 'the engine died before it could serve',
        );
      });
      this.#log.info({ mountpoint: this.#config.mountpoint, store: this.#config.store }, 'mounted');
    } catch (error) {
      detach(this.#config.mountpoint);
      engine.kill();
      throw error;
    }
    this.#watch(engine);
  }

  /**
   * Takes over from a keeper that died, and whose stand-in has died with it: the engine stays.
   * @param isWaiting whether it has yet to be told to serve what it has restored
   */
  adopt(engine: EngineProcess, mounted: Mounted, isWaiting: boolean): void {
    this.#mounted = mounted;
    this.#watch(engine);
    if (isWaiting) {
      engine.on('serving', () => this.#beginsToServe());
      engine.control.send({ type: 'serve', mounted });
    } else {
      this.#beginsToServe();
    }
  }

  /**
   * Hands over to an engine of the code that is on the disk now: between two turns, or if that one lays out the store in another way, in
   * a freeze.
   * @throws HostError when it does not get ready; then an engine of the old code goes on
   */
  async upgrade(): Promise<void> {
    const engine = this.#engine;
    if (this.#frozen || this.#isBusy) {
      throw new HostError('not upgraded: the mount is busy; try again');
    }
    if (engine === undefined || this.#servingSince === undefined) {
      throw new HostError('not upgraded: no engine serves that could hand over; try again');
    }
    try {
      const successor = EngineProcess.spawn(this.#held);
      this.#successor = successor;
      await inTime(successor.hasSaid('loaded'));
      if (await this.#mustFreezeFor(engine, successor)) await this.#carryOver(engine, successor);
      else await this.#handOver(engine, successor);
    } catch (error) {
      await this.#goOn((error as Error).message);
    }
    this.#successor = undefined;
    await this.#engine?.hasSaid('serving').catch(() => {
      throw new HostError('the new engine died; the keeper has the next one try');
    });
  }

  get #isBusy(): boolean {
    return this.#freezing || this.#successor !== undefined || this.#stopping;
  }

  /**
   * Whether the store is to be carried over to another layout.
   * @throws Error when the new engine cannot do that
   */
  async #mustFreezeFor(engine: EngineProcess, successor: EngineProcess): Promise<boolean> {
    const [old, next] = [engine.said('loaded')?.layout, successor.said('loaded')?.layout];
    if (old === undefined || next === undefined || isSameLayout(old, next)) return false;
    successor.control.send({ type: 'review', store: this.#config.store, layout: old });
    await inTime(successor.hasSaid('reviewed'));
    // Without it programs would get errors: then they do not see more of it than of any upgrade.
    return this.#held.fuse !== undefined;
  }

  /** Until the new engine serves, the store is as the old one left it, and that one waits. What follows is what follows any death of an engine. */
  async #handOver(engine: EngineProcess, successor: EngineProcess): Promise<void> {
    const paused = engine.says('paused');
    engine.control.send({ type: 'pause' });
    await inTime(paused);
    this.#restore(successor, true);
    await inTime(successor.hasSaid('restored'));
    if (this.#engine !== engine) throw new Error('the old engine died meanwhile');
    this.#spare?.kill();
    this.#spare = successor;
    engine.kill();
    await engine.exited;
  }

  /**
   * The same in a freeze: the new engine may take long to read the store, and peers are answered meanwhile. If it does not get ready, the
   * spare serves, which is of the old code. With its first commit the store has the other layout, all of it.
   */
  async #carryOver(engine: EngineProcess, successor: EngineProcess): Promise<void> {
    await this.#endIntoFreeze(engine);
    this.#restore(successor, true, this.#mounted);
    await inTime(successor.hasSaid('restored'), CARRY_OVER_MILLISECONDS);
    this.#spare?.kill();
    this.#spare = successor;
    this.#frozen = false;
    this.#employNext();
  }

  /** @throws HostError always, when an engine of the old code goes on */
  async #goOn(why: string): Promise<never> {
    const successor = this.#successor;
    const reason = successor?.said('refused')?.message ?? why;
    successor?.kill();
    // It has the store open.
    await successor?.exited;
    this.#successor = undefined;
    this.#log.error({ reason }, 'not upgraded');
    if (this.#frozen) {
      this.#frozen = false;
      this.#employNext();
    }
    this.#engine?.control.send({ type: 'resume', reason });
    await this.#engine?.hasSaid('serving').catch(() => {});
    throw new HostError(`not upgraded, the old engine goes on: ${reason}`);
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /**
   * Has the engine take in what is on its way, and end. No other serves before `thaw`: requests wait, and peers are answered by a stand-in.
   * @throws HostError when it cannot be done; then an engine serves
   */
  async freeze(): Promise<void> {
    const engine = this.#engine;
    if (this.#frozen) throw new HostError('is frozen already');
    if (this.#isBusy) throw new HostError('is busy; try again');
    if (this.#held.fuse === undefined) {
      throw new HostError(
        `cannot be frozen: with the driver ${this.#config.driver} programs would get errors`,
      );
    }
    if (engine === undefined || this.#servingSince === undefined) {
      throw new HostError('has no engine that could be frozen; try again');
    }
    await this.#endIntoFreeze(engine);
    // The next engine is to be of the code that is there then.
    this.#spare?.kill();
    this.#spare = undefined;
  }

  /** @throws HostError when it died before it was done */
  async #endIntoFreeze(engine: EngineProcess): Promise<void> {
    this.#freezing = true;
    engine.control.send({ type: 'freeze' });
    const impatience = setTimeout(() => engine.kill(), FREEZE_MILLISECONDS);
    await engine.exited;
    clearTimeout(impatience);
    this.#freezing = false;
    if (!this.#frozen) throw new HostError('is not frozen: the engine died before it was');
  }

  /**
   * Has an engine serve again, of the code that is on the disk now.
   * @throws HostError when none does
   */
  async thaw(): Promise<void> {
    if (!this.#frozen) throw new HostError('is not frozen');
    if (this.#isBusy) throw new HostError('is busy; try again');
    this.#frozen = false;
    this.#employNext();
    await this.#engine?.hasSaid('serving').catch(() => {
      throw new HostError('is thawed, but the engine died; the keeper has the next one try');
    });
  }

  /** Unmounts; every connection stays in the store, to be carried on by the next mount. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const engine = this.#engine;
    if (engine === undefined) {
      void this.#end();
      return;
    }
    const isFreezing = this.#config.freeze === true;
    engine.control.send({ type: isFreezing ? 'freeze' : 'stop' });
    const patience = isFreezing ? FREEZE_MILLISECONDS : STOP_MILLISECONDS;
    const impatience = setTimeout(() => engine.kill(), patience);
    engine.exited.then(() => clearTimeout(impatience));
  }

  #restore(engine: EngineProcess, isSuccessor: boolean, mounted?: Mounted): void {
    engine.on('restored', ({ connections, milliseconds }) =>
      this.#log.info({ pid: engine.pid, connections, milliseconds }, 'restored'),
    );
    engine.control.send({
      type: 'restore',
      config: this.#config,
      keeperPid: process.pid,
      isSuccessor,
      ...(mounted && { mounted, waits: true }),
    });
  }

  /** Has `engine` serve the tree, once it has restored the store and nobody else answers peers. */
  #serve(engine: EngineProcess): void {
    const mounted = this.#mounted!;
    engine.on('serving', () => this.#beginsToServe());
    if (!engine.said('restored')) this.#restore(engine, true, mounted);
    engine.hasSaid('restored').then(
      async () => {
        await this.#standIn.dismiss();
        engine.control.send({ type: 'serve', mounted, shut: this.#standIn.shut });
      },
      // What follows its death is another's matter.
      () => {},
    );
  }

  #beginsToServe(): void {
    this.#servingSince = monotonicNow();
    this.#standIn.forgetShut();
    this.#keepSpare();
  }

  #watch(engine: EngineProcess): void {
    this.#engine = engine;
    engine.on('unmounted', () => this.stop());
    engine.exited.then(() => this.#afterDeath(engine));
  }

  #keepSpare(): void {
    if (this.#stopping || this.#frozen || this.#spare !== undefined) return;
    const later = () => setTimeout(() => this.#keepSpare(), NEXT_SPARE_MILLISECONDS).unref();
    const spare = this.#start();
    if (spare === undefined) {
      later();
      return;
    }
    this.#spare = spare;
    spare.exited.then(() => {
      if (this.#spare !== spare) return;
      this.#spare = undefined;
      later();
    });
  }

  /** @returns undefined when the host has no room for another process: no reason to die of it */
  #start(): EngineProcess | undefined {
    try {
      return EngineProcess.spawn(this.#held);
    } catch (error) {
      this.#log.error({ reason: (error as Error).message }, 'no engine started');
      return undefined;
    }
  }

  #afterDeath(engine: EngineProcess): void {
    const served =
      this.#servingSince === undefined ? undefined : monotonicNow() - this.#servingSince;
    this.#engine = undefined;
    this.#servingSince = undefined;
    this.#mounted = this.#driver.afterDeath(this.#mounted!);
    if (this.#stopping) {
      // While peers may still send, a silent interface is better than none: the host would answer for us.
      if (engine.said('stopped')?.connections === 0) forgetTun(this.#held.tun);
      void this.#end();
    } else if (this.#freezing && engine.said('stopped')) {
      this.#frozen = true;
      this.#standIn.call(0);
      this.#log.warn('frozen');
    } else if (this.#spare?.said('restored')) {
      this.#log.info({ pid: engine.pid, served }, 'engine handed over');
      this.#employNext();
    } else {
      this.#standIn.call(STAND_IN_MILLISECONDS);
      const pause = this.#policy.next(served);
      const reason = engine.said('refused')?.message;
      this.#log.warn({ pid: engine.pid, served, delay: pause, reason }, 'engine died');
      if (pause === 0) this.#employNext();
      else if (pause === undefined) this.#giveUp();
      else setTimeout(() => this.#employNext(), pause);
    }
  }

  #employNext(): void {
    if (this.#stopping) return;
    const engine = this.#spare ?? this.#start();
    this.#spare = undefined;
    if (engine === undefined) {
      setTimeout(() => this.#employNext(), NEXT_START_MILLISECONDS);
      return;
    }
    this.#serve(engine);
    this.#watch(engine);
  }

  #giveUp(): void {
    this.#log.fatal('engines keep dying; unmounting, the connections stay in the store');
    process.exitCode = 1;
    void this.#end();
  }

  async #end(): Promise<void> {
    this.#stopping = true;
    detach(this.#config.mountpoint);
    const idle = [this.#spare, this.#successor];
    for (const engine of idle) engine?.kill();
    await Promise.all([...idle.map((engine) => engine?.exited), this.#standIn.dismiss()]);
    this.#log.info({ mountpoint: this.#config.mountpoint }, 'unmounted');
    this.#resolveEnded();
  }
}

/** `step`, or an error when it takes too long. */
async function inTime(step: Promise<void>, most = UPGRADE_STEP_MILLISECONDS): Promise<void> {
  const impatience = new AbortController();
  const { signal } = impatience;
  try {
    const tooLong = delay(most, undefined, { signal, ref: false });
    await Promise.race([
      step,
      tooLong.then(() => {
        throw new Error(`it took longer than ${most / 1000} seconds`);
      }),
    ]);
  } finally {
    impatience.abort();
  }
}
