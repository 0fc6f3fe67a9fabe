import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { RecordKind, Records } from '../fs/records.ts';
import { Tree } from '../fs/tree.ts';
import { removeConnection, restoreConnections } from '../persist/connections.ts';
import { Journal, StoreError } from '../persist/journal.ts';
import { Table } from '../persist/table.ts';
import { Stack } from '../tcp/stack.ts';
import { monotonicNow } from './clock.ts';
import type { Config } from './config.ts';
import { Control, type Mounted, type ToEngine, type ToKeeper } from './control.ts';
import { crashPoint } from './crash-point.ts';
import { Descriptor } from './descriptors.ts';
import { Answers } from './fuse/answers.ts';
import { Session } from './fuse/session.ts';
import type { Succession } from './keeper-main.ts';
import { openLog } from './log.ts';
import { Outbox } from './outbox.ts';
import { PacketInput } from './packet-input.ts';
import type { Readiness } from './readiness.ts';
import { allocateResidentMemory } from './resident-memory.ts';
import { write } from './system-calls.ts';
import type { Turn } from './turn.ts';
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

  start(control: Control<ToKeeper, ToEngine>): void {
    this.#control = control;
  }

  onMessage(message: ToEngine): void {
    switch (message.type) {
      case 'restore':
        this.#config = message.config;
        this.#keeperPid = message.keeperPid;
        this.#log = openLog(message.config, 'engine');
        if (this.#restore() && message.mounted !== undefined) this.#serve(message.mounted);
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
    const { fuse, tun, lock, control } = Descriptor;
    const keeper = spawn(process.execPath, [KEEPER, JSON.stringify(succession)], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', fuse, tun, lock, 'pipe'],
    });
    this.#keeperPid = keeper.pid ?? 0;
    this.#log.warn({ pid: this.#keeperPid }, 'the keeper died; started another');
    this.#control = new Control(
      keeper.stdio[control] as Socket,
      (message) => this.onMessage(message),
      () => this.onKeeperDeath(),
    );
  }

  /** @returns false when the store will not do; the process then ends by itself */
  #restore(): boolean {
    const started = monotonicNow();
    try {
      this.#journal = Journal.open(this.#config.store, { durability: this.#config.durability });
      this.#restoreInto(started);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#control.send({ type: 'refused', message: error.message });
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

  #restoreInto(now: number): void {
    const { address, prefix, mtu } = this.#config;
    const journal = this.#journal;
    const facts = journal.facts;
    facts.epoch += 1;
    this.#stack = new Stack({
      address,
      prefix,
      mtu,
      secret: facts.secret,
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
      ['tun', config.tun],
      ['mtu_bytes', config.mtu],
      ['connections', this.#stack.pcbs.size],
    ];
  }
}
