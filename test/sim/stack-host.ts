import {
  removeConnection,
  restoreConnections,
  stageConnection,
} from '../../persist/connections.ts';
import { Table } from '../../persist/table.ts';
import type { Egress } from '../../tcp/egress.ts';
import { Pcb } from '../../tcp/pcb.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { Stack } from '../../tcp/stack.ts';
import { StandIn } from '../../tcp/stand-in/stand-in.ts';
import { State, stateName } from '../../tcp/state.ts';
import { IPV6_MIN_MTU } from '../../tcp/wire/ipv6.ts';
import { ACK, RST, SYN } from '../../tcp/wire/tcp.ts';
import { bare, cut, join } from '../segmentation.ts';
import { distance } from './auditor.ts';
import { type Death, type Extent, Mortality } from './death.ts';
import type { NetworkHost, World } from './network-host.ts';
import {
  addressOf,
  hostOf,
  isSegment,
  type Packet,
  packetOf,
  type SegmentPacket,
} from './packet.ts';
import { isWithin } from './path.ts';
import type { Program } from './program.ts';
import type { Random } from './random.ts';
import type { StackPlan } from './scenario.ts';
import type { EngineJournal, Store } from './store.ts';
import { must } from './violation.ts';

/** When peers are answered after a death, milliseconds, as by a keeper. */
const STAND_IN_AFTER = 1000;

/** How many packets wait on the interface while no engine reads them (Linux's TUN_READQ_SIZE). */
const INTERFACE_QUEUE = 500;
/** An answer in the journal, of which only counts that it is there. */
const ANSWER = new Uint8Array(8);

/** Doubles round: a deadline is asked for this much later, milliseconds. */
const ROUNDING = 1e-5;

/** What the journal holds for the peer to rely on, of one connection. */
interface Promise {
  readonly ISS: number;
  readonly RCV_NXT: number;
  readonly RCV_ADV: number;
  readonly RCV_WSCALE: number;
  readonly sendEnd: number;
}

/** A committed turn. */
interface Turn {
  readonly number: number;
  readonly clock: number;
  readonly progress: readonly unknown[];
}

/** The outputs of an engine's turn, which wait until turn `needs` of the journal is durable. */
interface Sealed {
  readonly needs: number;
  readonly packets: readonly Packet[];
  readonly death: Death | undefined;
}

class Outbox implements Egress {
  readonly bytes = new Uint8Array(1 << 16);
  readonly view = new DataView(this.bytes.buffer);
  packets: Packet[] = [];
  room = Infinity;
  readonly commitUnfinished?: (length: number, segmentSize: number) => void;

  constructor(offload: boolean) {
    if (!offload) return;
    this.commitUnfinished = (length, segmentSize) => {
      this.room--;
      const pieces = cut(this.bytes.slice(0, length), segmentSize);
      this.packets.push(...pieces.map(packetOf));
    };
  }

  reserve(length: number): number {
    return length <= this.bytes.length && this.room > 0 ? 0 : -1;
  }

  commit(length: number): void {
    this.room--;
    this.packets.push(packetOf(this.bytes.slice(0, length)));
  }
}

/** An engine around a stack, its programs, and its journal: turns, commits, deaths. */
export class StackHost implements NetworkHost {
  readonly #number: number;
  readonly #plan: StackPlan;
  readonly #world: World;
  readonly #random: Random;
  readonly #programs: readonly Program[];
  readonly #secret: Uint8Array;
  readonly #mortality: Mortality;
  readonly #store: Store;
  readonly #outbox: Outbox;
  readonly #promises = new Map<number, Promise>();
  #journal: EngineJournal;
  #stack: Stack;
  #interface: Uint8Array[] = [];
  /** What a restore may need to know of, oldest first. */
  #turns: Turn[];
  #sealed: Sealed[] = [];
  #isDown = false;
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
    this.#turns = [{ number: turn, clock: this.#clock, progress: this.#snapshots() }];
    for (const leap of plan.leaps) world.events.at(leap.at, () => this.#leap(leap.by));
    this.#wake(0);
  }

  get #clock(): number {
    return this.#clockOffset + this.#world.events.now * this.#plan.clockRate;
  }

  get isDone(): boolean {
    return (
      !this.#isDown &&
      this.#sealed.length === 0 &&
      this.#stack.pcbs.size === 0 &&
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

  #snapshots(): unknown[] {
    return this.#programs.map((program) => program.snapshot());
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
    let actsAt = Infinity;
    for (const program of this.#programs) {
      actsAt = Math.min(actsAt, program.act(stack, now, clock));
    }
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
      if (pcb instanceof Pcb) this.#promise(pcb);
    }
    for (const [i, program] of this.#programs.entries()) {
      // As the answers of a session are (mount/fuse/answers.ts): what was answered has happened.
      if (program.takeAnswered()) this.#journal.put(Table.answer, i, 0, ANSWER);
    }
    this.#journal.facts.nextId = stack.nextId;
  }

  #commit(death: Death | undefined, clock: number): void {
    const { packets } = this.#outbox;
    for (const packet of packets) if (isSegment(packet)) this.#checkPromised(packet);
    const number = this.#journal.commit();
    // With nothing staged there is no new turn, and what the programs did left no trace.
    if (number > this.#turns.at(-1)!.number) {
      this.#turns.push({ number, clock, progress: this.#snapshots() });
    }
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
    while (this.#sealed.length > 0 && this.#sealed[0]!.needs <= number) {
      const { packets, death } = this.#sealed.shift()!;
      const count = death === undefined ? packets.length : death.released(packets.length);
      for (const packet of packets.slice(0, count)) this.#world.send(packet);
      if (death === undefined) continue;
      this.#die(death);
      return;
    }
  }

  /** From the next commit on the peer may rely on what `pcb` says. */
  #promise(pcb: Pcb): void {
    this.#promises.set(keyOf(pcb.LOCAL_PORT, hostOf(pcb.remoteAddress), pcb.REMOTE_PORT), {
      ISS: pcb.ISS,
      RCV_NXT: pcb.RCV_NXT,
      RCV_ADV: pcb.RCV_ADV,
      RCV_WSCALE: pcb.RCV_WSCALE,
      sendEnd: (pcb.ISS + 1 + pcb.SEND_END + pcb.FIN_QUEUED) >>> 0,
    });
  }

  /**
   * No packet says what is not in the journal by now: an acknowledgment, an offered window, text, a SYN. And nobody resets a
   * connection that lives.
   */
  #checkPromised({ segment, to }: SegmentPacket): void {
    const { flags, SEG_SEQ, SEG_LEN, SEG_ACK } = segment;
    const key = keyOf(segment.sourcePort, to, segment.destinationPort);
    if (flags & RST) {
      const live = [...this.#stack.pcbs.values()].find(
        (pcb) => keyOf(pcb.LOCAL_PORT, hostOf(pcb.remoteAddress), pcb.REMOTE_PORT) === key,
      );
      must(
        live === undefined || live.STATE < State.ESTABLISHED || live.STATE === State.TIME_WAIT,
        () => `a reset in ${stateName(live!.STATE)}`,
      );
      return;
    }
    const promise = this.#promises.get(key);
    must(promise !== undefined, 'a segment of a connection that is not in the journal');
    if (flags & SYN) must(promise.ISS === SEG_SEQ, 'the ISS is not in the journal');
    must(distance(SEG_SEQ + SEG_LEN, promise.sendEnd) <= 0, 'what is sent is not in the journal');
    if ((flags & ACK) === 0) return;
    must(distance(SEG_ACK, promise.RCV_NXT) <= 0, 'what is acknowledged is not in the journal');
    const scale = flags & SYN ? 0 : promise.RCV_WSCALE;
    must(
      distance(SEG_ACK + segment.SEG_WND * 2 ** scale, promise.RCV_ADV) <= 0,
      'what is offered is not in the journal',
    );
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
    this.#epoch++;
    this.#isDown = true;
    this.#wakesAt = Infinity;
    this.#sealed = [];
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
      if (this.#epoch === epoch && this.#isDown) this.#callStandIn();
    });
  }

  /** From now on what waits on the interface, and what comes, is taken and answered from the journal. */
  #callStandIn(): void {
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
      onShut: (id) => this.#shut.add(id),
    });
    this.#promises.clear();
    for (const pcb of left.pcbs.values()) {
      this.#promise(pcb);
      standIn.restore(pcb.record.slice());
    }
    this.#standIn = standIn;
    this.#world.note(this.#number, `somebody stands in for ${standIn.size}`);
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
    for (const packet of this.#outbox.packets) {
      if (isSegment(packet)) this.#checkPromised(packet);
      this.#world.send(packet);
    }
  }

  #comeBack(extent: Extent): void {
    const { now } = this.#world.events;
    this.#standIn = undefined;
    const isOtherBoot = extent !== 'process';
    if (isOtherBoot) {
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
    for (const pcb of this.#stack.pcbs.values()) this.#promise(pcb);
    const elapsed = isOtherBoot ? 0 : clock - turn.clock;
    this.#stack.resume(clock, { began: turn.clock, atLeast: elapsed, estimate: elapsed });
    for (const id of this.#shut) this.#stack.shutWindow(id);
    this.#shut.clear();
    for (const [i, program] of this.#programs.entries()) {
      program.rollBack(turn.progress[i]!);
    }
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

function keyOf(localPort: number, remoteHost: number, remotePort: number): number {
  return (remoteHost * 65536 + localPort) * 65536 + remotePort;
}
