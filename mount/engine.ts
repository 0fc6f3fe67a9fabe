import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { RecordKind, Records } from '../fs/records.ts';
import { Tree } from '../fs/tree.ts';
import { readBootId } from '../persist/boot-id.ts';
import { monotonicNow } from '../persist/clock.ts';
import { restoreConnections } from '../persist/connections.ts';
import { Journal } from '../persist/journal.ts';
import { REMEDY, StoreError } from '../persist/store-error.ts';
import { Table } from '../persist/table.ts';
import { formatEndpoint } from '../tcp/address.ts';
import { errnoName } from '../tcp/errno.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';
import { Stack } from '../tcp/stack.ts';
import type { Config } from './config.ts';
import { Control, type Mounted, type ToEngine, type ToKeeper } from './control.ts';
import { crashPoint } from './crash-point.ts';
import { Descriptor } from './descriptors.ts';
import { controlOf } from './engine-process.ts';
import { Answers } from './fuse/answers.ts';
import { Notes } from './fuse/notes.ts';
import { Polls } from './fuse/polls.ts';
import { Session } from './fuse/session.ts';
import type { Succession } from './keeper-main.ts';
import { openLog } from './log.ts';
import { Outbox } from './outbox.ts';
import { PacketInput } from './packet-input.ts';
import { Readiness } from './readiness.ts';
import { allocateResidentMemory } from './resident-memory.ts';
import { write } from './system-calls.ts';
import { Turn } from './turn.ts';
import { VERSION } from './version.ts';

const KEEPER = fileURLToPath(new URL('./keeper-main.js', import.meta.url));

/** Room for the replies and packets of a few turns; a turn that needs more goes on in the next one. */
const OUTBOX_BYTES = 8 * 1024 * 1024;

const TABLE_OF: Record<RecordKind, Table> = { node: Table.node, handle: Table.handle };

/**
 * The process that does the work, and that may die at any instruction: restores the store, serves the tree in turns,
 * and gets itself a new keeper when its keeper dies.
 */
export class Engine {
  #control!: Control<ToKeeper, ToEngine>;
  #config!: Config;
  #keeperPid = 0;
  #log!: Logger;
  #journal!: Journal;
  #stack!: Stack;
  #tree!: Tree;
  #mounted: Mounted | undefined;
  #readiness: Readiness | undefined;
  #turn: Turn | undefined;
  #session: Session | undefined;

  start(control: Control<ToKeeper, ToEngine>): void {
    this.#control = control;
  }

  onMessage(message: ToEngine): void {
    switch (message.type) {
      case 'restore':
        this.#config = message.config;
        this.#keeperPid = message.keeperPid;
        this.#log = openLog(message.config, 'engine');
        // A defect of ours ends the process; what it was should be found in the log.
        process.on('uncaughtExceptionMonitor', (err) => this.#log.fatal({ err }, 'stopping'));
        this.#mounted = message.mounted;
        if (this.#restore() && this.#mounted !== undefined) this.#serve(this.#mounted);
        break;
      case 'serve':
        this.#serve(message.mounted);
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  /** The keeper held the descriptors for the time after our death; somebody has to. */
  onKeeperDeath(): void {
    if (this.#mounted === undefined) process.exit(1);
    const succession: Succession = {
      config: this.#config,
      mounted: this.#mounted,
      enginePid: process.pid,
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
  }

  /** @returns false when the store will not do; the process then ends by itself */
  #restore(): boolean {
    const started = monotonicNow();
    try {
      this.#journal = Journal.open(this.#config.store, {
        durability: this.#config.durability,
        // What an engine before this one, under the same keeper, has written needs no second look.
        check: this.#mounted === undefined,
      });
      this.#restoreInto(started);
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof RecordError)) throw error;
      this.#control.send({ type: 'refused', message: this.#refusal(error) });
      this.#control.flush().then(() => process.exit(1));
      return false;
    }
    const milliseconds = Math.round(monotonicNow() - started);
    this.#control.send({
      type: 'restored',
      connections: this.#stack.pcbs.size,
      milliseconds,
    });
    return true;
  }

  #refusal(error: StoreError | RecordError): string {
    if (error instanceof StoreError) return error.message;
    return `the store ${this.#config.store} is damaged: ${error.message}; ${REMEDY}`;
  }

  #restoreInto(now: number): void {
    const { address, prefix, address6, mtu } = this.#config;
    const journal = this.#journal;
    const facts = journal.facts;
    facts.epoch += 1;
    this.#stack = new Stack({
      address,
      prefix,
      ...(address6 !== undefined && { address6 }),
      mtu,
      // The clock of initial sequence numbers (RFC 6528) starts over with each boot, so its secret has to differ.
      secret: createHmac('sha256', facts.secret).update(readBootId()).digest(),
      entropy: () => randomBytes(4).readUInt32LE(),
      now,
    });
    restoreConnections(journal, this.#stack);
    this.#stack.nextId = Math.max(this.#stack.nextId, facts.nextId);
    const records: Records = {
      put: (kind, id, value) => journal.put(TABLE_OF[kind], id, 0, value),
      delete: (kind, id) => journal.delete(TABLE_OF[kind], id, 0),
    };
    this.#tree = new Tree(this.#stack, records, () => this.#facts());
    for (const kind of ['node', 'handle'] as const) {
      for (const { id, value } of journal.scan(TABLE_OF[kind])) this.#tree.restore(kind, id, value);
    }
    this.#stack.resume(now, facts.elapsed(now));
    journal.commit();
  }

  #serve(mounted: Mounted): void {
    const { fuse, tun } = Descriptor;
    const [journal, stack, tree] = [this.#journal, this.#stack, this.#tree];
    this.#mounted = mounted;
    const isFresh = journal.facts.mountInstance !== mounted.instance;
    if (isFresh) {
      journal.facts.mountInstance = mounted.instance;
      tree.freshMount(monotonicNow());
    }
    const memory = allocateResidentMemory(OUTBOX_BYTES);
    // A reply that fails has lost its reader, a packet that fails is lost as packets are: TCP sends it again.
    const writer = (descriptor: number) => (offset: number, length: number) => {
      write(descriptor, memory.address + offset, length);
    };
    const outbox = new Outbox(memory, writer(fuse), writer(tun));
    const answers = new Answers(mounted.instance);
    answers.restore(journal.scan(Table.answer));
    const notes = new Notes(journal, mounted.instance);
    notes.restore(journal.scan(Table.note));
    const polls = new Polls(journal, outbox.replies, mounted.instance);
    polls.restore(journal.scan(Table.poll));
    const session = new Session({
      fd: fuse,
      negotiated: mounted.negotiated,
      tree,
      replies: outbox.replies,
      answers,
      notes,
      polls,
    });
    const packets = new PacketInput(tun, stack, allocateResidentMemory(this.#config.mtu));
    crashPoint('just-restarted');
    const readiness = new Readiness(() => this.#runTurn());
    this.#readiness = readiness;
    const onEnd = (pcb: Pcb) => this.#logEnd(pcb);
    this.#turn = new Turn({ stack, tree, journal, session, packets, outbox, readiness, onEnd });
    this.#session = session;
    journal.onDurable = () => this.#turn?.release();
    readiness.watch(fuse);
    readiness.watch(tun);
    this.#control.send({ type: 'serving', epoch: journal.facts.epoch });
  }

  #logEnd(pcb: Pcb): void {
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

  #runTurn(): void {
    this.#turn!.run();
    if (!this.#session!.unmounted) return;
    this.#readiness!.stop();
    this.#control.send({ type: 'unmounted' });
  }

  async #stop(): Promise<void> {
    this.#readiness?.stop();
    const connections = this.#stack.pcbs.size;
    await this.#journal.close();
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
      ['store', config.store],
      ['durability', config.durability],
      ['address', `${config.address}/${config.prefix}`],
      ['host_address', config.hostAddress],
      ...addresses6(config),
      ['tun', config.tun],
      ['mtu_bytes', config.mtu],
      ['connections', this.#stack.pcbs.size],
    ];
  }
}

function addresses6({ address6, hostAddress6 }: Config): (readonly [string, string])[] {
  if (address6 === undefined || hostAddress6 === undefined) return [];
  return [
    ['address6', address6],
    ['host_address6', hostAddress6],
  ];
}
