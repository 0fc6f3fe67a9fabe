/**
 * `life.ts DIRECTORY LEVEL SEED TURNS`: an engine with connections that are made, written, read and ended at random, and a real
 * journal in DIRECTORY/store. What it commits and what it may promise is in DIRECTORY/marks. Dies in the middle as often as not.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../../persist/clock.ts';
import {
  removeConnection,
  restoreConnections,
  salvageConnections,
  stageConnection,
} from '../../../persist/connections.ts';
import { Journal } from '../../../persist/journal.ts';
import type { RecordSource, RecordStore, StoredRecord } from '../../../persist/record-store.ts';
import { Table } from '../../../persist/table.ts';
import { witnessOf } from '../../../persist/witness.ts';
import type { ControlBlock } from '../../../tcp/control-block.ts';
import { Durability } from '../../../tcp/durability.ts';
import { Stack } from '../../../tcp/stack.ts';
import { State } from '../../../tcp/state.ts';
import { TcpError } from '../../../tcp/tcp-error.ts';
import { Random } from '../../sim/random.ts';
import { Capture } from '../../tcp/wire-pair.ts';
import type { Level, Mark } from './marks.ts';
import { digestOf, digestsOf, keyOf, type Records } from './record-digests.ts';

const HERE = '10.7.0.2';
const THERE = '10.7.0.1';
const PORT = 80;
const CONNECTIONS = 8;
const RESERVE = 65_536;
/** Snapshots are made seconds apart, and a life is short. */
const HURRY = 1000;

const [directory, level, seed, turns] = process.argv.slice(2) as [string, Level, string, string];
const random = new Random(BigInt(seed));
const marks = openSync(join(directory, 'marks'), 'a');

const setTimer = setTimeout;
globalThis.setTimeout = ((callback: () => void, milliseconds: number) =>
  setTimer(callback, milliseconds / HURRY)) as typeof setTimeout;

function mark(mark: Mark): void {
  writeSync(marks, `${JSON.stringify(mark)}\n`);
}

/** The journal, and what is staged in it. */
class MarkedJournal implements RecordStore {
  readonly journal: Journal;
  #changes: Record<string, string | null> = {};

  constructor(journal: Journal) {
    this.journal = journal;
  }

  put(table: Table, id: number, index: number, value: Uint8Array | RecordSource): void {
    this.journal.put(table, id, index, value);
    this.#changes[keyOf(table, id, index)] = digestOf(bytesOf(value));
  }

  delete(table: Table, id: number, index: number): void {
    this.journal.delete(table, id, index);
    this.#changes[keyOf(table, id, index)] = null;
  }

  scan(table: Table): Iterable<StoredRecord> {
    return this.journal.scan(table);
  }

  commit(): number {
    if (Object.keys(this.#changes).length > 0)
      mark({ turn: this.journal.turn, changes: this.#changes });
    this.#changes = {};
    return this.journal.commit();
  }
}

function bytesOf(value: Uint8Array | RecordSource): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const bytes = new Uint8Array(value.length);
  value.copyTo(bytes, 0);
  return bytes;
}

function newStack(address: string): Stack {
  return new Stack({
    address,
    prefix: 24,
    mtu: 1500,
    secret: Buffer.alloc(32, address),
    entropy: () => random.u32(),
    durability: level === 'power' ? 'power' : 'process',
    now: monotonicNow(),
  });
}

/** Does nothing that cannot be done now. */
function attempt(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TcpError)) throw error;
  }
}

/** What packets wait for, and the packets. */
interface Outgoing {
  readonly turn: number;
  readonly packets: readonly Uint8Array[];
}

class Life {
  readonly #here = newStack(HERE);
  readonly #there = newStack(THERE);
  readonly #records: MarkedJournal;
  #made: Uint8Array[] = [];
  #waiting: Outgoing[] = [];
  readonly #egress = new Capture((packet) => this.#made.push(packet));
  readonly #answers = new Capture((packet) => this.#arriving.push(packet));
  #arriving: Uint8Array[] = [];
  readonly #outlivingHost = new Set<number>();

  constructor(journal: Journal) {
    this.#records = new MarkedJournal(journal);
    if (journal.hostWentDown) salvageConnections(this.#records, this.#here);
    else restoreConnections(this.#records, this.#here);
    const now = monotonicNow();
    this.#here.nextId = Math.max(this.#here.nextId, journal.facts.nextId);
    this.#here.resume(now, journal.facts.absence(now, Date.now()));
    for (const pcb of this.#here.pcbs.values()) this.#note(pcb);
    journal.onSynced = () => this.#synced();
    this.#listen(this.#there, THERE);
    if (![...this.#here.pcbs.values()].some(({ STATE }) => STATE === State.LISTEN))
      this.#listen(this.#here, HERE);
  }

  turn(): void {
    const now = monotonicNow();
    const arriving = this.#arriving;
    this.#arriving = [];
    for (const packet of arriving) this.#here.arrive(packet, 0, packet.length, now);
    for (const stack of [this.#here, this.#there]) {
      stack.tick(now);
      for (let i = random.below(4); i > 0; i--) attempt(() => this.#act(stack, now));
    }
    this.#here.transmit(now, this.#egress);
    this.#commit();
    this.#there.transmit(now, this.#answers);
    this.#there.takeChanged();
    this.#there.takeDirty();
    this.#there.takeRemoved();
  }

  #commit(): void {
    const { journal } = this.#records;
    this.#here.takeChanged();
    for (const pcb of this.#here.takeRemoved()) {
      removeConnection(this.#records, pcb);
      this.#records.delete(Table.node, pcb.ID, 0);
      this.#outlivingHost.delete(pcb.ID);
    }
    for (const pcb of this.#here.takeDirty()) {
      stageConnection(this.#records, pcb);
      this.#records.put(Table.node, pcb.ID, 0, Buffer.from(`connection ${pcb.ID}`));
      this.#note(pcb);
    }
    journal.facts.nextId = this.#here.nextId;
    const outlivesHost = this.#outlivingHost.size > 0 || level === 'power';
    journal.durability = outlivesHost ? 'power' : 'process';
    const turn = this.#records.commit();
    this.#waiting.push({ turn, packets: this.#made });
    this.#made = [];
    if (!outlivesHost) this.#release(turn);
    else if (random.chance(0.3)) journal.sync();
  }

  #note({ ID, DURABILITY }: ControlBlock): void {
    if (DURABILITY === Durability.POWER) this.#outlivingHost.add(ID);
    else this.#outlivingHost.delete(ID);
  }

  #synced(): void {
    const { synced } = this.#records.journal;
    mark({ synced });
    this.#release(synced);
  }

  #release(turn: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.turn <= turn) {
      const now = monotonicNow();
      for (const packet of this.#waiting.shift()!.packets)
        this.#there.arrive(packet, 0, packet.length, now);
    }
  }

  #listen(stack: Stack, address: string): void {
    const listener = stack.create();
    stack.bind(listener, { address, port: PORT });
    stack.listen(listener, CONNECTIONS);
  }

  #act(stack: Stack, now: number): void {
    const pcb = random.pick([...stack.pcbs.values()]);
    if (pcb.STATE === State.LISTEN) {
      stack.accept(pcb);
      const remote = { address: stack === this.#here ? THERE : HERE, port: PORT };
      if (stack.pcbs.size < CONNECTIONS) stack.connect(stack.create(), remote, now);
      return;
    }
    switch (random.below(11)) {
      case 0:
        if (random.chance(0.1) && pcb.STATE === State.CLOSED) stack.close(pcb, now);
        break;
      case 1:
        if (random.chance(0.3)) stack.close(pcb, now);
        break;
      case 2:
        if (random.chance(0.1)) stack.abort(pcb, now);
        break;
      case 3:
        if (random.chance(0.3)) stack.shutdown(pcb, now);
        break;
      case 4:
        if (level === 'some power') stack.setOption(pcb, 'DURABILITY', random.below(2), now);
        break;
      case 5:
      case 6:
      case 7:
        stack.receive(pcb, new Uint8Array(random.below(10_000)), now);
        break;
      default:
        stack.send(pcb, Buffer.alloc(Math.floor(random.magnitude(1, 20_000)), random.u32()), now);
    }
  }
}

function open(): Journal {
  const store = join(directory, 'store');
  const journal = Journal.open(store, {
    durability: level === 'power' ? 'power' : 'process',
    witness: witnessOf(store),
    reserve: RESERVE,
  });
  const records: Records = digestsOf(journal);
  mark({ opened: journal.facts.turn, from: journal.restoredFrom, records });
  return journal;
}

const journal = open();
const life = new Life(journal);
const death = random.chance(0.5) ? random.below(Number(turns)) : Number.POSITIVE_INFINITY;
for (let turn = 0; turn < Number(turns); turn++) {
  life.turn();
  if (turn === death) process.kill(process.pid, 'SIGKILL');
  if (random.chance(0.3)) await delay(random.below(3));
}
await journal.close();
