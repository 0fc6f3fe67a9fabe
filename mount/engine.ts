import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { BLOCKED } from '../fs/attempt.ts';
import { GrowingText } from '../fs/growing-text.ts';
import type { Tree } from '../fs/tree.ts';
import { monotonicNow } from '../persist/clock.ts';
import { removeConnection, stageConnection } from '../persist/connections.ts';
import { Journal } from '../persist/journal.ts';
import { DATA_FILE } from '../persist/layout.ts';
import { REMEDY, StoreError } from '../persist/store-error.ts';
import { demandReadable, STORE_LAYOUT, type StoreLayout } from '../persist/store-layout.ts';
import { witnessOf } from '../persist/witness.ts';
import { formatEndpoint } from '../tcp/address.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { errnoName } from '../tcp/errno.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Stack } from '../tcp/stack.ts';
import { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import type { Config } from './config.ts';
import { CONNECTION_FILES } from './connection-files.ts';
import { Control, type Mounted, type ToEngine, type ToKeeper } from './control.ts';
import { crashPoint } from './crash-point.ts';
import { Descriptor } from './descriptors.ts';
import type { Session } from './driver.ts';
import { DRIVERS } from './drivers.ts';
import { controlOf } from './engine-process.ts';
import { entropy } from './entropy.ts';
import { HostError } from './host-error.ts';
import { hostFile } from './host-file.ts';
import type { Succession } from './keeper-main.ts';
import { openLog } from './log.ts';
import { HostNames, type NameFiles } from './names/host-names.ts';
import { Outbox } from './outbox.ts';
import { PacketInput } from './packet-input.ts';
import { Readiness } from './readiness.ts';
import { Replies } from './replies.ts';
import { allocateResidentMemory, type ResidentMemory } from './resident-memory.ts';
import { restoreStack, restoreTree } from './restored.ts';
import { write } from './system-calls.ts';
import { Turn } from './turn.ts';
import { VERSION } from './version.ts';

const KEEPER = fileURLToPath(new URL('./keeper-main.js', import.meta.url));

/** Room for the replies and packets of a few turns; a turn that needs more goes on in the next one. */
const OUTBOX_BYTES = 8 * 1024 * 1024;

/** Where systemd-resolved(8) says whom it asks, if resolv.conf(5) leads to it. */
const UPSTREAM_RESOLV_CONF = '/run/systemd/resolve/resolv.conf';

const NAME_FILES: NameFiles = {
  hosts: hostFile('/etc/hosts'),
  services: hostFile('/etc/services'),
  resolvConf: hostFile('/etc/resolv.conf'),
  upstreamResolvConf: hostFile(UPSTREAM_RESOLV_CONF),
};

/** How long peers may go on to send before a freeze, in milliseconds, and how often it is looked whether they do. */
const FREEZE_MILLISECONDS = 5000;
const FREEZE_INTERVAL_MILLISECONDS = 10;

/** What stat(2) counts st_blocks in, bytes. */
const STAT_BLOCK = 512;

/**
 * The process that does the work, and that may die at any instruction: restores the store, serves the tree in turns,
 * and gets itself a new keeper when its keeper dies.
 */
export class Engine {
  #control!: Control<ToKeeper, ToEngine>;
  #config!: Config;
  #keeperPid = 0;
  #log!: Logger;
  readonly #logged = new GrowingText();
  #journal!: Journal;
  #stack!: Stack;
  #tree!: Tree;
  #names!: HostNames;
  #mounted: Mounted | undefined;
  #readiness: Readiness | undefined;
  #turn: Turn | undefined;
  #session: Session | undefined;
  /** Allocated by a spare while there is time. */
  readonly #memory = allocateResidentMemory(OUTBOX_BYTES);
  readonly #powerMemory = allocateResidentMemory(OUTBOX_BYTES);
  #isPausing = false;
  #hasSavingFailed = false;
  #failedUpgrades = 0;
  #upgradeError = '';

  start(control: Control<ToKeeper, ToEngine>): void {
    this.#control = control;
  }

  onMessage(message: ToEngine): void {
    switch (message.type) {
      case 'review':
        this.#review(message.store, message.layout);
        break;
      case 'restore':
        this.#config = message.config;
        this.#keeperPid = message.keeperPid;
        this.#log = openLog(message.config, 'engine', (line) => this.#logged.append(() => line));
        // A defect of ours ends the process; what it was should be found in the log.
        process.on('uncaughtExceptionMonitor', (err) => this.#log.fatal({ err }, 'stopping'));
        this.#mounted = message.mounted;
        if (this.#restore(message.isSuccessor) && message.mounted && message.waits !== true)
          void this.#serve(message.mounted);
        break;
      case 'serve':
        this.#shutWindows(message.shut ?? []);
        void this.#serve(message.mounted);
        break;
      case 'pause':
        this.#turn?.pause();
        this.#isPausing = true;
        this.#reportPause();
        break;
      case 'resume':
        this.#failedUpgrades += 1;
        this.#upgradeError = message.reason;
        this.#resume();
        break;
      case 'freeze':
        void this.#freeze();
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  /** The keeper held the descriptors for the time after our death; somebody has to. */
  onKeeperDeath(): void {
    if (this.#mounted === undefined) process.exit(1);
    this.#resume();
    const succession: Succession = {
      config: this.#config,
      mounted: this.#mounted,
      enginePid: process.pid,
      isWaiting: this.#turn === undefined,
    };
    const { fuse, tun, lock } = Descriptor;
    const keeper = spawn(process.execPath, [KEEPER, JSON.stringify(succession)], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', fuse, tun, lock, 'pipe'],
    });
    this.#keeperPid = keeper.pid ?? 0;
    this.#log.warn({ pid: this.#keeperPid }, 'the keeper died; started another');
    this.#control = new Control(
      controlOf(keeper),
      (message) => this.onMessage(message),
      () => this.onKeeperDeath(),
    );
    this.#control.send({ type: 'loaded', layout: STORE_LAYOUT });
  }

  #review(store: string, layout: StoreLayout): void {
    try {
      demandReadable(store, layout);
      this.#control.send({ type: 'reviewed' });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refuse(error.message);
    }
  }

  /** @returns false when the store will not do; the process then ends by itself */
  #restore(isSuccessor: boolean): boolean {
    const started = monotonicNow();
    try {
      this.#journal = Journal.open(this.#config.store, {
        durability: this.#config.durability,
        witness: witnessOf(this.#config.store),
        // What later engines find is what the first one has made of it.
        acceptRollback: !isSuccessor && this.#config.acceptRollback,
        afterCrash: !isSuccessor && this.#config.afterCrash,
        check: !isSuccessor,
        // For the bench, which takes the difference for what the journal costs.
        isWritten: process.env['HOLDFAST_JOURNAL'] !== 'none',
      });
      this.#restoreInto(started);
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof RecordError)) throw error;
      this.#refuse(this.#refusal(error));
      return false;
    }
    crashPoint('restored');
    const milliseconds = Math.round(monotonicNow() - started);
    this.#control.send({
      type: 'restored',
      connections: this.#stack.pcbs.size,
      milliseconds,
    });
    return true;
  }

  /** @param message one line for the user */
  #refuse(message: string): void {
    this.#control.send({ type: 'refused', message });
    this.#control.flush().then(() => process.exit(1));
  }

  #refusal(error: StoreError | RecordError): string {
    if (error instanceof StoreError) return error.message;
    return `the store ${this.#config.store} is damaged: ${error.message}; ${REMEDY}`;
  }

  #restoreInto(now: number): void {
    const { address, prefix, address6, mtu, memory, durability } = this.#config;
    const journal = this.#journal;
    const facts = journal.facts;
    facts.epoch += 1;
    this.#stack = restoreStack(journal, {
      address,
      prefix,
      ...(address6 !== undefined && { address6 }),
      mtu,
      memory,
      durability,
      now,
    });
    this.#logHostCrash();
    const names = new HostNames({
      stack: this.#stack,
      entropy,
      files: NAME_FILES,
      address6,
      resolver: this.#config.resolver,
    });
    this.#names = names;
    this.#tree = restoreTree(
      journal,
      this.#stack,
      {
        facts: () => this.#facts(),
        addresses: () => addressesOf(this.#config),
        mtu: () => mtu,
        journal: () => this.#journalFacts(),
        resolver: {
          port: (service, network) => names.port(service, network),
          addresses: (host, waiter, now) => names.addresses(host, waiter, now) ?? BLOCKED,
        },
        connectionFiles: CONNECTION_FILES,
        limits: {
          connections: this.#config.userConnections ?? Infinity,
          bufferBytes: this.#config.userBufferBytes ?? Infinity,
        },
      },
      this.#logged,
    );
    // Nothing is committed yet: an engine that does not get ready leaves the store as it was.
    this.#stack.resume(now, facts.absence(now, Date.now()));
  }

  async #serve(mounted: Mounted): Promise<void> {
    const [journal, stack, tree] = [this.#journal, this.#stack, this.#tree];
    this.#mounted = mounted;
    const isFresh = journal.facts.mountInstance !== mounted.instance;
    if (isFresh) {
      journal.facts.mountInstance = mounted.instance;
      tree.freshMount(monotonicNow());
    }
    const outboxes = {
      process: this.#outboxIn(this.#memory),
      power: this.#outboxIn(this.#powerMemory),
    };
    const session = DRIVERS[this.#config.driver].session({
      ...{ config: this.#config, mounted, tree, journal },
      replies: new Replies(outboxes.process.replies, outboxes.power.replies, (connection) =>
        turn.outlivesHost(connection),
      ),
    });
    const packets = new PacketInput(Descriptor.tun, stack, this.#config.offload === true);
    const readiness = new Readiness(() => this.#runTurn());
    this.#readiness = readiness;
    const turn = new Turn({
      ...{ stack, tree, names: this.#names, journal, session, packets, outboxes, readiness },
      durability: this.#config.durability,
      onEnd: (pcb) => this.#logEnd(pcb),
      onRoom: (hasRoom) => this.#logRoom(hasRoom),
      onFailure: (error) => this.#log.error({ reason: error.message }, 'waiting for the disk'),
    });
    this.#turn = turn;
    this.#session = session;
    journal.onSaveFailure = (error) => {
      this.#hasSavingFailed = true;
      this.#log.error(
        { reason: error.message },
        'the disk does not take what a crash of the host must not lose',
      );
    };
    journal.onSynced = () => {
      if (this.#hasSavingFailed) this.#log.info('the disk takes it again');
      this.#hasSavingFailed = false;
      this.#turn?.release();
      this.#reportPause();
    };
    readiness.watch(Descriptor.tun);
    if (journal.isRolledBack) this.#abandonConnections();
    crashPoint('about-to-serve');
    // Before anything is served: which engine this is, and of which mount.
    this.#turn.commit();
    crashPoint('just-restarted');
    try {
      await session.start(readiness);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#refuse(error.message);
      return;
    }
    this.#control.send({ type: 'serving', epoch: journal.facts.epoch });
  }

  #outboxIn(memory: ResidentMemory): Outbox {
    return new Outbox(
      memory,
      (offset, length) => this.#session!.send(memory, offset, length),
      // A packet that fails is lost as packets are: TCP sends it again.
      (offset, length) => write(Descriptor.tun, memory.address + offset, length),
      this.#config.offload === true,
    );
  }

  /** Staged for the first commit: whoever comes after this engine has to know, too. */
  #shutWindows(connections: readonly number[]): void {
    if (connections.length === 0) return;
    for (const connection of connections) this.#stack.shutWindow(connection);
    for (const pcb of this.#stack.takeDirty()) stageConnection(this.#journal, pcb);
  }

  /** Staged for the first commit, with which the store counts as one that nothing is wrong with. */
  #abandonConnections(): void {
    const [journal, stack, tree] = [this.#journal, this.#stack, this.#tree];
    stack.abandonConnections(monotonicNow());
    for (const pcb of stack.takeDirty()) stageConnection(journal, pcb);
    const removed = stack.takeRemoved();
    tree.note([], removed);
    for (const pcb of removed) removeConnection(journal, pcb);
    this.#log.warn(
      { store: this.#config.store },
      'the store was rolled back: connections have ended',
    );
  }

  /** Says that nothing more leaves, once that is so: with `power`, the disk takes its time. */
  #reportPause(): void {
    if (!this.#isPausing || this.#turn?.isReleased === false) return;
    this.#isPausing = false;
    this.#control.send({ type: 'paused' });
  }

  async #freeze(): Promise<void> {
    const turn = this.#turn;
    if (turn !== undefined) {
      turn.freeze();
      crashPoint('freezing');
      const deadline = monotonicNow() + FREEZE_MILLISECONDS;
      while (!this.#stack.isSettled(monotonicNow()) && monotonicNow() < deadline) {
        await delay(FREEZE_INTERVAL_MILLISECONDS);
      }
      turn.pause();
      while (!turn.isReleased) await delay(FREEZE_INTERVAL_MILLISECONDS);
    }
    await this.#stop();
  }

  #resume(): void {
    this.#isPausing = false;
    this.#turn?.resume();
  }

  #logEnd(pcb: ControlBlock): void {
    if (pcb instanceof UdpPcb) return;
    const { ID: connection, local, remote, ERROR } = pcb;
    this.#log.info(
      {
        connection,
        local: local && formatEndpoint(local),
        remote: remote && formatEndpoint(remote),
        error: errnoName(ERROR),
      },
      'connection ended',
    );
  }

  /** What is left after the host went down with the store in use. */
  #logHostCrash(): void {
    const { restoredFrom } = this.#journal;
    const { store } = this.#config;
    if (restoredFrom === 'nothing')
      this.#log.error(
        { store },
        'the host went down before anything was saved: no connection is left',
      );
    if (!this.#journal.hostWentDown) return;
    const aborted = [...this.#stack.pcbs.values()].filter(
      ({ ERROR }) => errnoName(ERROR) === 'ECONNABORTED',
    );
    this.#log.warn(
      { store, from: restoredFrom, ended: aborted.length },
      'the host went down: connections have ended, but for those with durability power',
    );
  }

  #logRoom(hasRoom: boolean): void {
    const { store } = this.#config;
    if (hasRoom) this.#log.info({ store }, 'the disk has room again');
    else this.#log.error({ store }, 'the disk is full: windows close, and writes fail with ENOSPC');
  }

  #runTurn(): void {
    this.#turn!.run();
    if (!this.#session!.unmounted) return;
    this.#readiness!.stop();
    this.#control.send({ type: 'unmounted' });
  }

  async #stop(): Promise<void> {
    this.#readiness?.stop();
    const connections = this.#stack.pcbs.size;
    try {
      await this.#journal.close();
    } catch (err) {
      // As after any death: the next mount of this boot goes on from what is there.
      this.#log.error({ err }, 'the store could not be closed');
    }
    crashPoint('frozen');
    this.#control.send({ type: 'stopped', connections });
    await this.#control.flush();
    process.exit(0);
  }

  #facts(): (readonly [string, string | number])[] {
    const { config, journal } = { config: this.#config, journal: this.#journal };
    return [
      ['version', VERSION],
      ['engine_pid', process.pid],
      ['keeper_pid', this.#keeperPid],
      ['epoch', journal.facts.epoch],
      ['mountpoint', config.mountpoint],
      ['driver', config.driver],
      ['store', config.store],
      ['durability', config.durability],
      ['address', `${config.address}/${config.prefix}`],
      ['host_address', config.hostAddress],
      ...addresses6(config),
      ['tun', config.tun],
      ['mtu_bytes', config.mtu],
      ['offload', config.offload === true ? 'on' : 'off'],
      ['memory_bytes', config.memory],
      ['memory_used_bytes', this.#stack.memoryUsed],
      ['connections', this.#stack.pcbs.size],
      ['udp_sockets', this.#stack.udp.pcbs.size],
      ['disk', this.#disk],
      ...this.#upgradeFacts(),
    ];
  }

  #journalFacts(): (readonly [string, string | number])[] {
    const { store, durability } = this.#config;
    const { facts, durable, synced } = this.#journal;
    // The file has holes.
    const { blocks } = statSync(join(store, DATA_FILE));
    return [
      ['durability', durability],
      ['epoch', facts.epoch],
      ['committed_turn', durable],
      ['synced_turn', synced],
      ['store_bytes', blocks * STAT_BLOCK],
      ['disk', this.#disk],
    ];
  }

  get #disk(): string {
    if (this.#journal.isFailing) return 'failing';
    return this.#journal.hasRoom ? 'ample' : 'full';
  }

  #upgradeFacts(): (readonly [string, string | number])[] {
    if (this.#failedUpgrades === 0) return [];
    return [
      ['failed_upgrades', this.#failedUpgrades],
      ['upgrade_error', this.#upgradeError],
    ];
  }
}

function addressesOf({ address, prefix, address6, hostAddress6 }: Config): string[] {
  const addresses = [`${address}/${prefix}`];
  // The stack has no use for the prefix of IPv6; the host's end of the network has it.
  if (address6 !== undefined) addresses.push(`${address6}/${hostAddress6!.split('/')[1]}`);
  return addresses;
}

function addresses6({ address6, hostAddress6 }: Config): (readonly [string, string])[] {
  if (address6 === undefined || hostAddress6 === undefined) return [];
  return [
    ['address6', address6],
    ['host_address6', hostAddress6],
  ];
}
