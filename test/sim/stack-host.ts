import { ConnectionFile, readConnectionFile } from '../../persist/connection-file.ts';
import {
  removeConnection,
  restoreConnections,
  stageConnection,
} from '../../persist/connections.ts';
import { Table } from '../../persist/table.ts';
import type { MovingIn } from '../../tcp/move-in.ts';
import { Pcb } from '../../tcp/pcb.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { Stack } from '../../tcp/stack.ts';
import { StandIn } from '../../tcp/stand-in/stand-in.ts';
import { isSynchronized, maySpeak, State, stateName } from '../../tcp/state.ts';
import { TcpError } from '../../tcp/tcp-error.ts';
import { IPV6_MIN_MTU } from '../../tcp/wire/ipv6.ts';
import { bare, join } from '../segmentation.ts';
import { type Death, type Extent, Mortality } from './death.ts';
import type { FreezePlan } from './freeze-plan.ts';
import type { Luggage, Standing } from './luggage.ts';
import type { NetworkHost, World } from './network-host.ts';
import { Outbox } from './outbox.ts';
import { addressOf, isSegment, type Packet } from './packet.ts';
import { isWithin } from './path.ts';
import type { Program } from './program.ts';
import { connectionOf, Promises } from './promises.ts';
import type { Random } from './random.ts';
import type { StackPlan } from './scenario.ts';
import type { EngineJournal, Store } from './store.ts';
import { must } from './violation.ts';

/** When peers are answered after a death, milliseconds, as by a keeper; and after the death of who answers them. */
const STAND_IN_AFTER = 1000;
const NEXT_STAND_IN_AFTER = 5000;
/** How long peers may go on to send before a freeze, milliseconds, and how often it is looked whether they do, as by an engine. */
const FREEZE_LASTS = 5000;
const FREEZE_INTERVAL = 10;

/** How many packets wait on the interface while no engine reads them (Linux's TUN_READQ_SIZE). */
const INTERFACE_QUEUE = 500;
/** What the tree says of each connection. */
const NODE = new Uint8Array(8);
/** The wall clock at time 0, milliseconds since 1970. */
const EPOCH = 1_700_000_000_000;
/** An answer in the journal, of which only counts that it is there. */
const ANSWER = new Uint8Array(8);

/** Doubles round: a deadline is asked for this much later, milliseconds. */
const ROUNDING = 1e-5;

/** A committed turn. */
interface Turn {
  readonly number: number;
  readonly clock: number;
  readonly programs: readonly Standing[];
}

/** The outputs of an engine's turn, which wait until turn `needs` of the journal is durable. */
interface Sealed {
  readonly needs: number;
  readonly packets: readonly Packet[];
  readonly death: Death | undefined;
}

/** What is asked of engine after engine, until one has done it. */
interface Errand {
  /** Whether programs wait for it, and what was said before leaves before its end. */
  readonly isDeparture: boolean;
  /** Does it, in a turn. Again is the same as once. False: it cannot be done. */
  run(clock: number): boolean;
  /** It is durable, or cannot be done. */
  end(isDone: boolean): void;
  /** The turn that has done it; Infinity: none, as far as this engine knows. */
  turn: number;
}

/** An engine around a stack, its programs, and its journal: turns, commits, deaths. */
export class StackHost implements NetworkHost {
  readonly #number: number;
  readonly #plan: StackPlan;
  readonly #world: World;
  readonly #random: Random;
  #programs: readonly Program[];
  readonly #secret: Uint8Array;
  readonly #mortality: Mortality;
  readonly #store: Store;
  readonly #outbox: Outbox;
  readonly #promises = new Promises();
  #journal: EngineJournal;
  #stack: Stack;
  #interface: Uint8Array[] = [];
  /** What a restore may need to know of, oldest first. */
  #turns: Turn[];
  #sealed: Sealed[] = [];
  #isDown = false;
  /** No request is answered any more, and then no turn runs. */
  #isFreezing = false;
  #isPaused = false;
  #errand: Errand | undefined;
  /** Who answers while no engine does, and whom has been told that its window is closed. */
  #standIn: StandIn | undefined;
  readonly #shut = new Set<number>();
  /** Counts the engines, so that what was to happen to a dead one does not. */
  #epoch = 1;
  /** The clock's reading at time 0. */
  #clockOffset: number;
  #wakesAt = Infinity;

  constructor(
    number: number,
    plan: StackPlan,
    world: World,
    random: Random,
    programs: readonly Program[],
  ) {
    this.#number = number;
    this.#plan = plan;
    this.#world = world;
    this.#random = random;
    this.#programs = programs;
    this.#outbox = new Outbox(plan.offload);
    this.#secret = Uint8Array.from({ length: 16 }, () => random.below(256));
    this.#clockOffset = random.between(1, 1e6);
    this.#mortality = new Mortality(plan.crashes, plan.commitLag > 0, random);
    this.#store = world.newStore();
    this.#journal = this.#store.open();
    this.#stack = this.#newStack();
    const { turn } = this.#journal.facts;
    this.#turns = [{ number: turn, clock: this.#clock, programs: this.#standings() }];
    for (const leap of plan.leaps) world.events.at(leap.at, () => this.#leap(leap.by));
    for (const freeze of plan.freezes) world.events.at(freeze.at, () => this.#freeze(freeze));
    this.#wake(0);
  }

  get #clock(): number {
    return this.#clockOffset + this.#world.events.now * this.#plan.clockRate;
  }

  get isDone(): boolean {
    return (
      !this.#isDown &&
      this.#sealed.length === 0 &&
      this.#errand === undefined &&
      [...this.#stack.pcbs.values()].every(({ STATE }) => STATE === State.MOVED) &&
      this.#programs.every((program) => program.isDone)
    );
  }

  toString(): string {
    const pcbs = [...this.#stack.pcbs.values()].map((pcb) => `${pcb.ID} ${stateName(pcb.STATE)}`);
    const down = this.#isDown ? 'down; ' : '';
    return `${down}${this.#programs.join('; ')}; PCBs: ${pcbs.join(', ') || 'none'}`;
  }

  receive(bytes: Uint8Array): void {
    if (this.#interface.length >= INTERFACE_QUEUE) return;
    this.#interface.push(bytes);
    this.#standInAnswers();
    if (!this.#isDown) this.#wake(this.#world.events.now + this.#plan.turnLag);
  }

  #newStack(): Stack {
    const { mtu, receiveBuffer, sendBuffer, growth, timeWait, ecn } = this.#plan;
    return new Stack({
      address: addressOf(this.#number, false),
      prefix: 24,
      ...(mtu >= IPV6_MIN_MTU && { address6: addressOf(this.#number, true) }),
      mtu,
      secret: this.#secret,
      entropy: () => this.#random.u32(),
      now: this.#clock,
      receiveBuffer,
      receiveBufferMax: Math.floor(receiveBuffer * growth),
      sendBuffer,
      sendBufferMax: Math.floor(sendBuffer * growth),
      timeWait,
      ecn,
    });
  }

  #standings(): Standing[] {
    return this.#programs.map((program) => ({ program, snapshot: program.snapshot() }));
  }

  /** Asks for a turn at `at`. */
  #wake(at: number): void {
    const { events } = this.#world;
    const pause = this.#plan.pauses.find((span) => isWithin(span, at));
    const from = pause?.until ?? at;
    if (from >= this.#wakesAt) return;
    this.#wakesAt = from;
    const epoch = this.#epoch;
    events.at(from, () => {
      if (this.#wakesAt !== from || this.#epoch !== epoch || this.#isDown) return;
      this.#wakesAt = Infinity;
      if (this.#isPaused) return;
      this.#turn();
    });
  }

  #turn(): void {
    const { events } = this.#world;
    const { now } = events;
    const clock = this.#clock;
    const stack = this.#stack;
    const death = this.#mortality.next(now);
    const arrived = this.#interface;
    this.#interface = [];
    const joined = this.#plan.offload ? join(arrived) : arrived.map(bare);
    for (const { bytes, ingress } of joined) stack.arrive(bytes, 0, bytes.length, clock, ingress);
    stack.tick(clock);
    const mustWait = this.#runErrand(clock) || this.#isFreezing;
    const actsAt = mustWait ? Infinity : this.#act(now, clock);
    if (death?.at === 'arrived') {
      this.#die(death);
      return;
    }
    this.#outbox.packets = [];
    this.#outbox.room = this.#plan.egressRoom;
    const isComplete = stack.transmit(clock, this.#outbox);
    if (death?.at === 'transmitted') {
      this.#die(death);
      return;
    }
    this.#stage();
    if (death?.at === 'staged') {
      this.#die(death);
      return;
    }
    this.#commit(death, clock);
    if (this.#isDown) return;
    const due = isComplete ? this.#timeOf(stack.deadline) : now;
    const soonest = now + this.#plan.turnLag;
    if (due < Infinity) this.#wake(Math.max(due, soonest));
    if (actsAt < Infinity) this.#wake(Math.max(actsAt, soonest));
  }

  /** @returns when programs want to act next */
  #act(now: number, clock: number): number {
    let actsAt = Infinity;
    for (const program of this.#programs) {
      actsAt = Math.min(actsAt, program.act(this.#stack, now, clock));
    }
    return actsAt;
  }

  /** When the clock reads `deadline`. */
  #timeOf(deadline: number): number {
    return (deadline - this.#clockOffset) / this.#plan.clockRate + ROUNDING;
  }

  #stage(): void {
    const stack = this.#stack;
    stack.takeChanged();
    for (const pcb of stack.takeRemoved()) removeConnection(this.#journal, pcb);
    for (const pcb of stack.takeDirty()) {
      if (pcb instanceof Pcb) this.#checkMemory(pcb);
      stageConnection(this.#journal, pcb);
      if (pcb instanceof Pcb) this.#promises.note(pcb);
    }
    for (const [i, program] of this.#programs.entries()) {
      // As the answers of a session are (mount/fuse/answers.ts): what was answered has happened.
      if (program.takeAnswered()) this.#journal.put(Table.answer, i, 0, ANSWER);
    }
    this.#journal.facts.nextId = stack.nextId;
  }

  #commit(death: Death | undefined, clock: number): void {
    const { packets } = this.#outbox;
    const pcbs = [...this.#stack.pcbs.values()];
    for (const packet of packets) if (isSegment(packet)) this.#promises.check(packet, pcbs);
    const number = this.#journal.commit();
    // With nothing staged there is no new turn, and what the programs did left no trace.
    if (number > this.#turns.at(-1)!.number) {
      this.#turns.push({ number, clock, programs: this.#standings() });
    }
    if (this.#errand?.turn === Infinity) this.#errand.turn = number;
    this.#world.witness?.committed(this.#number, number, this.#stack, packets.length);
    this.#sealed.push({ needs: number, packets, death });
    if (death?.at === 'committed') {
      this.#die(death);
      return;
    }
    const { commitLag } = this.#plan;
    if (commitLag === 0) {
      this.#settle(number);
      return;
    }
    const epoch = this.#epoch;
    this.#world.events.at(this.#world.events.now + commitLag, () => {
      if (this.#epoch === epoch && !this.#isDown) this.#settle(number);
    });
  }

  /** Turn `number` is durable: what waits for it leaves, or some of it. */
  #settle(number: number): void {
    this.#store.sync(number);
    this.#turns = this.#turns.filter((turn) => turn.number >= number);
    if (this.#errand?.isDeparture === false) this.#endErrand(number);
    while (this.#sealed.length > 0 && this.#sealed[0]!.needs <= number) {
      const { packets, death } = this.#sealed.shift()!;
      const count = death === undefined ? packets.length : death.released(packets.length);
      for (const packet of packets.slice(0, count)) this.#send(packet, false);
      if (death === undefined) continue;
      this.#die(death);
      return;
    }
    this.#endErrand(number);
  }

  /** Either the engine speaks or who stands in for it. */
  #send(packet: Packet, isStandIn: boolean): void {
    must(this.#isDown === isStandIn, 'two speakers');
    if (isSegment(packet) && isStandIn) this.#promises.check(packet, this.#stack.pcbs.values());
    this.#world.send(packet);
  }

  #checkMemory(pcb: Pcb): void {
    const { growth } = this.#plan;
    const sendBuffer = this.#plan.sendBuffer * growth;
    const receiveBuffer = this.#plan.receiveBuffer * growth;
    const sent = pcb.SEND_END - pcb.SEND_START;
    must(sent >= 0 && sent <= sendBuffer, () => `${sent} bytes in the send buffer`);
    const { readable } = pcb;
    must(
      readable >= 0 && readable <= receiveBuffer,
      () => `${readable} bytes in the receive buffer of ${receiveBuffer}`,
    );
    const { reassembly } = pcb;
    if (reassembly === undefined) return;
    const ranges = reassembly.mostRecentFirst;
    must(ranges.length <= Reassembly.MAX_RANGES, () => `${ranges.length} ranges out of order`);
    for (const { from, to } of ranges) {
      must(
        from > pcb.RECEIVE_END && to <= pcb.RECEIVE_START + receiveBuffer,
        () => `bytes ${from} to ${to} out of order`,
      );
    }
  }

  /** Everything that was not committed is lost, and to a power cut what was not on the disk. */
  #die(death: Death): void {
    const { events } = this.#world;
    const { at, extent, downtime } = death;
    this.#endEngine();
    const lost = extent === 'power' ? death.lost(this.#store.unsynced) : 0;
    this.#store.cutPower(lost);
    this.#world.note(
      this.#number,
      `dies: ${at}, ${extent}${lost > 0 ? `, ${lost} turns lost` : ''}`,
    );
    events.at(events.now + downtime, () => this.#comeBack(extent));
    // What the disk has yet to take nobody may acknowledge.
    if (extent !== 'process' || this.#plan.commitLag > 0 || downtime <= STAND_IN_AFTER) return;
    const epoch = this.#epoch;
    events.at(events.now + STAND_IN_AFTER, () => {
      if (this.#epoch === epoch) this.#callStandIn(false);
    });
  }

  #endEngine(): void {
    this.#epoch++;
    this.#isDown = true;
    this.#isFreezing = false;
    this.#isPaused = false;
    this.#wakesAt = Infinity;
    this.#sealed = [];
    if (this.#errand !== undefined) this.#errand.turn = Infinity;
  }

  /** Whether it can be asked for something. */
  get isServing(): boolean {
    return !this.#isDown && !this.#isFreezing && this.#errand === undefined;
  }

  /** The engine dies in its next turn. */
  doom(): void {
    this.#mortality.doom();
  }

  /** Whether it speaks for a connection. */
  speaksFor(connection: string): boolean {
    if (this.#isDown) return false;
    const { pcbs } = this.#stack;
    return [...pcbs.values()].some(
      (pcb) => maySpeak(pcb.STATE) && connectionOf(pcb) === connection,
    );
  }

  /**
   * All connections leave, each to a file, with their programs.
   * @param then called when nothing can be said for them here any more; with undefined if one cannot move
   */
  moveOut(then: (luggage: Luggage | undefined) => void): void {
    this.#ask(
      true,
      (clock) => this.#departs(clock),
      (isDone) => {
        if (!isDone) {
          then(undefined);
          return;
        }
        const programs = this.#standings();
        this.#programs = [];
        this.#turns = this.#turns.map((turn) => ({ ...turn, programs: [] }));
        then({ ...this.#files(), programs });
      },
    );
  }

  /** @param then called when what has come is spoken for here */
  moveIn(luggage: Luggage, then: () => void): void {
    this.#ask(false, (clock) => this.#arrives(luggage, clock), then);
  }

  /** What has moved out is never asked for again. */
  forget(then: () => void): void {
    const close = (clock: number) => {
      for (const pcb of this.#stack.pcbs.values()) if (pcb.hasFile) this.#stack.close(pcb, clock);
      return true;
    };
    this.#ask(false, close, then);
  }

  /** The errno with which a file is refused, if nothing comes of it. */
  refusal(file: Uint8Array): string | undefined {
    try {
      this.#moving(file).cancel();
    } catch (error) {
      if (error instanceof TcpError) return error.name;
      throw error;
    }
    return undefined;
  }

  #ask(isDeparture: boolean, run: Errand['run'], end: Errand['end']): void {
    must(this.isServing, 'it is asked for two things at once');
    this.#errand = { isDeparture, run, end, turn: Infinity };
    this.#wake(this.#world.events.now);
  }

  /** @returns whether programs have to wait for it */
  #runErrand(clock: number): boolean {
    const errand = this.#errand;
    if (errand === undefined) return false;
    if (errand.turn < Infinity || errand.run(clock)) return errand.isDeparture;
    this.#errand = undefined;
    errand.end(false);
    return false;
  }

  #endErrand(durable: number): void {
    const errand = this.#errand;
    if (errand === undefined || errand.turn > durable) return;
    this.#errand = undefined;
    errand.end(true);
  }

  #departs(clock: number): boolean {
    const stack = this.#stack;
    if (!this.#isMovable) return false;
    for (const program of this.#programs) program.departs(stack, clock);
    for (const pcb of stack.pcbs.values()) {
      if (canMove(pcb)) stack.moveOut(pcb, clock, this.#wall);
    }
    return true;
  }

  get #isMovable(): boolean {
    const pcbs = [...this.#stack.pcbs.values()];
    return (
      pcbs.some(canMove) &&
      pcbs.every(
        (pcb) => canMove(pcb) || pcb.STATE === State.LISTEN || pcb.STATE === State.MOVED,
      ) &&
      this.#programs.every((program) => program.isMovable)
    );
  }

  #files(): Pick<Luggage, 'files' | 'connections'> {
    const files = new Map<number, Uint8Array>();
    const connections: string[] = [];
    for (const pcb of this.#stack.pcbs.values()) {
      if (!pcb.hasFile) continue;
      const file = new ConnectionFile(pcb, NODE);
      const bytes = new Uint8Array(file.size);
      must(file.copy(0, bytes) === bytes.length, 'a file is shorter than it says');
      files.set(pcb.ID, bytes);
      connections.push(connectionOf(pcb));
    }
    return { files, connections };
  }

  #arrives({ files, programs }: Luggage, clock: number): boolean {
    const ids = new Map<number, number>();
    for (const [id, file] of files) {
      const refusal = this.refusal(file);
      // The engine before this one has done it.
      if (refusal === 'EEXIST') continue;
      must(refusal === undefined, () => `a file is refused with ${refusal}`);
      const moving = this.#moving(file);
      moving.complete(clock, this.#wall);
      ids.set(id, moving.pcb.ID);
    }
    must(ids.size === 0 || ids.size === files.size, 'of one turn there is only a part');
    if (ids.size === 0) return true;
    this.#programs = programs.map(({ program }) => program);
    for (const { program, snapshot } of programs) {
      program.rollBack(snapshot);
      program.arrives(ids);
    }
    return true;
  }

  #moving(file: Uint8Array): MovingIn {
    let moving: MovingIn | undefined;
    try {
      readConnectionFile(file).restore((record) => {
        moving = this.#stack.moveIn(record);
        return moving.pcb;
      });
    } catch (error) {
      moving?.cancel();
      throw error;
    }
    return moving!;
  }

  get #wall(): number {
    return EPOCH + this.#world.events.now;
  }

  /** Takes in what is on its way, without letting a window open, and ends: somebody stands in from then on. */
  #freeze(plan: FreezePlan): void {
    const { events } = this.#world;
    if (this.#isDown || this.#isFreezing || this.#errand !== undefined) return;
    const patience = this.#programs.map((program) => program.patience(this.#stack));
    const lasts = Math.min(plan.lasts, ...patience);
    this.#isFreezing = true;
    this.#stack.beginFreeze();
    this.#promises.holdEdges();
    this.#world.note(this.#number, 'freezes');
    const deadline = events.now + FREEZE_LASTS;
    const epoch = this.#epoch;
    let isAtRest = false;
    const look = () => {
      if (this.#epoch !== epoch) return;
      const { now } = events;
      if (!this.#isPaused) {
        isAtRest = this.#stack.isSettled(this.#clock);
        this.#isPaused = isAtRest || now >= deadline;
      }
      if (this.#isPaused && this.#sealed.length === 0) this.#rest({ ...plan, lasts }, isAtRest);
      else events.at(now + FREEZE_INTERVAL, look);
    };
    look();
  }

  /** @param isAtRest whether all that has come is acknowledged */
  #rest({ lasts, reboots, losesStandIn }: FreezePlan, isAtRest: boolean): void {
    const { events } = this.#world;
    const { number } = this.#turns.at(-1)!;
    this.#endEngine();
    this.#store.sync(number);
    this.#turns = this.#turns.slice(-1);
    this.#world.note(this.#number, `is frozen for ${lasts.toFixed(3)}`);
    this.#world.happened('freezes');
    this.#callStandIn(isAtRest);
    events.at(events.now + lasts, () => this.#comeBack(reboots ? 'reboot' : 'process'));
    if (!losesStandIn) return;
    const epoch = this.#epoch;
    events.at(events.now + lasts / 2, () => {
      if (this.#epoch === epoch) this.#standIn = undefined;
    });
    events.at(events.now + lasts / 2 + NEXT_STAND_IN_AFTER, () => {
      if (this.#epoch === epoch) this.#callStandIn(isAtRest);
    });
  }

  /**
   * From now on what waits on the interface, and what comes, is taken and answered from the journal.
   * @param isAtRest whether all that has come is acknowledged
   */
  #callStandIn(isAtRest: boolean): void {
    const { mtu } = this.#plan;
    const left = this.#newStack();
    restoreConnections(this.#store.open(), left);
    const standIn = new StandIn({
      address: addressOf(this.#number, false),
      prefix: 24,
      ...(mtu >= IPV6_MIN_MTU && { address6: addressOf(this.#number, true) }),
      mtu,
      entropy: () => this.#random.u32(),
      now: this.#clock,
      shut: this.#shut,
      onShut: (id) => this.#shut.add(id),
    });
    this.#promises.clear();
    for (const pcb of left.pcbs.values()) {
      this.#promises.note(pcb);
      standIn.restore(pcb.record.slice());
    }
    this.#standIn = standIn;
    this.#world.note(this.#number, `somebody stands in for ${standIn.size}`);
    this.#world.left(this.#number, isAtRest);
    this.#standInAnswers();
  }

  #standInAnswers(): void {
    const standIn = this.#standIn;
    if (standIn === undefined) return;
    const arrived = this.#interface;
    this.#interface = [];
    this.#outbox.packets = [];
    this.#outbox.room = Infinity;
    for (const bytes of arrived) {
      standIn.arrive(bytes, 0, bytes.length, this.#clock, this.#outbox);
    }
    for (const packet of this.#outbox.packets) this.#send(packet, true);
  }

  #comeBack(extent: Extent): void {
    const { now } = this.#world.events;
    this.#epoch++;
    this.#standIn = undefined;
    this.#world.returned(this.#number);
    const isOtherBoot = extent !== 'process';
    if (isOtherBoot) {
      this.#shut.clear();
      this.#interface = [];
      this.#clockOffset = this.#random.between(1, 1e5) - now * this.#plan.clockRate;
    }
    this.#restore(isOtherBoot);
    this.#isDown = false;
    this.#world.note(this.#number, `is back: ${this}`);
    this.#wake(now);
  }

  #restore(isOtherBoot: boolean): void {
    const clock = this.#clock;
    const journal = this.#store.open();
    const { turn: number, nextId } = journal.facts;
    const turn = this.#turns.find((one) => one.number === number);
    must(
      turn !== undefined,
      () => `turn ${number} is restored, which is older than what was visible`,
    );
    this.#turns = [turn];
    this.#journal = journal;
    this.#stack = this.#newStack();
    restoreConnections(journal, this.#stack);
    this.#stack.nextId = Math.max(this.#stack.nextId, nextId);
    this.#world.witness?.restored(this.#number, number, this.#stack);
    this.#promises.clear();
    for (const pcb of this.#stack.pcbs.values()) this.#promises.note(pcb);
    const elapsed = isOtherBoot ? 0 : clock - turn.clock;
    this.#stack.resume(clock, { began: turn.clock, atLeast: elapsed, estimate: elapsed });
    for (const id of this.#shut) this.#stack.shutWindow(id);
    this.#shut.clear();
    this.#programs = turn.programs.map(({ program }) => program);
    for (const { program, snapshot } of turn.programs) program.rollBack(snapshot);
  }

  /** Time passes that nobody else has seen. */
  #leap(by: number): void {
    const isConnecting = [...this.#stack.pcbs.values()].some(
      ({ STATE }) => STATE === State.SYN_SENT || STATE === State.SYN_RECEIVED,
    );
    // A handshake has only so many timeouts to spend.
    if (isConnecting) return;
    this.#clockOffset += by;
    this.#world.note(this.#number, `its clock leaps by ${by.toFixed(3)}`);
    if (!this.#isDown) this.#wake(this.#world.events.now);
  }
}

/** Whether it can move out, or has. */
function canMove({ STATE, hasFile }: Pcb): boolean {
  return isSynchronized(STATE) || hasFile;
}
