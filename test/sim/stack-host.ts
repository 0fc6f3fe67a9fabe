import type { Egress } from '../../tcp/egress.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { Stack } from '../../tcp/stack.ts';
import { State, stateName } from '../../tcp/state.ts';
import { ACK, RST, SYN } from '../../tcp/wire/tcp.ts';
import type { Application, Progress } from './application.ts';
import { distance } from './auditor.ts';
import { type Journal, MemoryJournal } from './journal.ts';
import type { NetworkHost, World } from './network-host.ts';
import { addressOf, type Packet, packetOf } from './packet.ts';
import { isWithin } from './path.ts';
import type { Random } from './random.ts';
import type { StackPlan } from './scenario.ts';
import { must } from './violation.ts';

/** How many packets wait on the interface while no engine reads them (Linux's TUN_READQ_SIZE). */
const INTERFACE_QUEUE = 500;
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

/** A committed turn whose outputs wait until it is durable. */
interface Turn {
  readonly number: number;
  readonly clock: number;
  readonly packets: readonly Packet[];
  readonly progress: readonly Progress[];
}

/** How far a turn gets before its engine dies. */
type Death = 'arrived' | 'transmitted' | 'committed' | 'releasing';

class Outbox implements Egress {
  readonly bytes = new Uint8Array(1 << 16);
  readonly view = new DataView(this.bytes.buffer);
  packets: Packet[] = [];
  room = Infinity;

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
  readonly #applications: readonly Application[];
  readonly #secret: Uint8Array;
  readonly #journal: Journal = new MemoryJournal();
  readonly #outbox = new Outbox();
  readonly #promises = new Map<number, Promise>();
  #stack: Stack;
  #interface: Uint8Array[] = [];
  #committed: Turn[] = [];
  /** The newest durable turn. */
  #durable: Turn;
  #isDown = false;
  /** Counts the engines, so that what was to happen to a dead one does not. */
  #epoch = 1;
  #crashes = 0;
  /** The clock's reading at time 0. */
  #clockOffset: number;
  #wakesAt = Infinity;

  constructor(
    number: number,
    plan: StackPlan,
    world: World,
    random: Random,
    applications: readonly Application[],
  ) {
    this.#number = number;
    this.#plan = plan;
    this.#world = world;
    this.#random = random;
    this.#applications = applications;
    this.#secret = Uint8Array.from({ length: 16 }, () => random.below(256));
    this.#clockOffset = random.between(1, 1e6);
    this.#stack = this.#newStack();
    this.#durable = { number: 0, clock: this.#clock, packets: [], progress: this.#snapshots() };
    for (const leap of plan.leaps) world.events.at(leap.at, () => this.#leap(leap.by));
    this.#wake(0);
  }

  get #clock(): number {
    return this.#clockOffset + this.#world.events.now * this.#plan.clockRate;
  }

  get isDone(): boolean {
    return (
      !this.#isDown &&
      this.#committed.length === 0 &&
      this.#stack.pcbs.size === 0 &&
      this.#applications.every((application) => application.isDone)
    );
  }

  toString(): string {
    const pcbs = [...this.#stack.pcbs.values()].map((pcb) => `${pcb.ID} ${stateName(pcb.STATE)}`);
    const down = this.#isDown ? 'down; ' : '';
    return `${down}${this.#applications.join('; ')}; PCBs: ${pcbs.join(', ') || 'none'}`;
  }

  receive(bytes: Uint8Array): void {
    if (this.#interface.length >= INTERFACE_QUEUE) return;
    this.#interface.push(bytes);
    if (!this.#isDown) this.#wake(this.#world.events.now + this.#plan.turnLag);
  }

  #newStack(): Stack {
    const { mtu, receiveBuffer, sendBuffer, timeWait } = this.#plan;
    return new Stack({
      address: addressOf(this.#number),
      prefix: 24,
      mtu,
      secret: this.#secret,
      entropy: () => this.#random.u32(),
      now: this.#clock,
      receiveBuffer,
      sendBuffer,
      timeWait,
    });
  }

  #snapshots(): Progress[] {
    return this.#applications.map((application) => application.snapshot());
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
    const death = this.#chooseDeath();
    const arrived = this.#interface;
    this.#interface = [];
    for (const bytes of arrived) stack.arrive(bytes, 0, bytes.length, clock);
    stack.tick(clock);
    let actsAt = Infinity;
    for (const application of this.#applications) {
      actsAt = Math.min(actsAt, application.act(stack, now, clock));
    }
    if (death === 'arrived') {
      this.#die(death);
      return;
    }
    this.#outbox.packets = [];
    this.#outbox.room = this.#plan.egressRoom;
    const isComplete = stack.transmit(clock, this.#outbox);
    if (death === 'transmitted') {
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

  #commit(death: Death | undefined, clock: number): void {
    const stack = this.#stack;
    const { packets } = this.#outbox;
    stack.takeChanged();
    for (const pcb of stack.takeDirty()) {
      this.#checkMemory(pcb);
      this.#journal.stage(pcb);
      this.#promises.set(keyOf(pcb.LOCAL_PORT, pcb.REMOTE_ADDRESS_3, pcb.REMOTE_PORT), {
        ISS: pcb.ISS,
        RCV_NXT: pcb.RCV_NXT,
        RCV_ADV: pcb.RCV_ADV,
        RCV_WSCALE: pcb.RCV_WSCALE,
        sendEnd: (pcb.ISS + 1 + pcb.SEND_END + pcb.FIN_QUEUED) >>> 0,
      });
    }
    for (const packet of packets) this.#checkPromised(packet);
    for (const { ID } of stack.takeRemoved()) this.#journal.remove(ID);
    const number = this.#journal.commit(stack.nextId);
    this.#committed.push({ number, clock, packets, progress: this.#snapshots() });
    const { commitLag } = this.#plan;
    if (commitLag === 0) {
      this.#settle(number, death);
    } else if (death !== undefined) {
      this.#die(death);
    } else {
      const epoch = this.#epoch;
      this.#world.events.at(this.#world.events.now + commitLag, () => {
        if (this.#epoch === epoch && !this.#isDown) this.#settle(number, undefined);
      });
    }
  }

  /** Turn `number` is durable: its outputs leave, or some of them. */
  #settle(number: number, death: Death | undefined): void {
    this.#journal.settle(number);
    while (this.#committed.length > 0 && this.#committed[0]!.number <= number) {
      this.#durable = this.#committed.shift()!;
      const { packets } = this.#durable;
      const count = death === undefined ? packets.length : this.#released(death, packets.length);
      for (const packet of packets.slice(0, count)) this.#world.send(packet);
    }
    if (death !== undefined) this.#die(death);
  }

  #released(death: Death, count: number): number {
    return death === 'releasing' ? this.#random.below(count + 1) : 0;
  }

  /**
   * No packet says what is not in the journal by now: an acknowledgment, an offered window, text, a SYN. And nobody resets a
   * connection that lives.
   */
  #checkPromised({ segment, to }: Packet): void {
    const { flags, SEG_SEQ, SEG_LEN, SEG_ACK } = segment;
    const remote = ((10 << 24) | (7 << 16) | (to + 1)) >>> 0;
    const key = keyOf(segment.sourcePort, remote, segment.destinationPort);
    if (flags & RST) {
      const live = [...this.#stack.pcbs.values()].find(
        (pcb) => keyOf(pcb.LOCAL_PORT, pcb.REMOTE_ADDRESS_3, pcb.REMOTE_PORT) === key,
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
    const { sendBuffer, receiveBuffer } = this.#plan;
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

  #chooseDeath(): Death | undefined {
    const { chance, most, span } = this.#plan.crashes;
    if (chance === 0 || this.#crashes >= most) return undefined;
    if (!isWithin(span, this.#world.events.now) || !this.#random.chance(chance)) return undefined;
    return this.#random.pick<Death>(['arrived', 'transmitted', 'committed', 'releasing']);
  }

  /** Everything since the newest durable turn is lost. */
  #die(death: Death): void {
    const { events } = this.#world;
    const { downtime, reboots } = this.#plan.crashes;
    this.#crashes++;
    this.#epoch++;
    this.#isDown = true;
    this.#wakesAt = Infinity;
    this.#committed = [];
    this.#journal.crash();
    const isReboot = this.#random.chance(reboots);
    const back = events.now + this.#random.fraction() * downtime;
    this.#world.note(this.#number, `dies: ${death}${isReboot ? ', the host reboots' : ''}`);
    events.at(back, () => this.#comeBack(isReboot));
  }

  #comeBack(isReboot: boolean): void {
    const { now } = this.#world.events;
    if (isReboot) {
      this.#interface = [];
      this.#clockOffset = this.#random.between(1, 1e5) - now * this.#plan.clockRate;
    }
    const clock = this.#clock;
    this.#stack = this.#newStack();
    this.#journal.restoreInto(this.#stack);
    this.#stack.resume(clock, isReboot ? 0 : clock - this.#durable.clock);
    this.#applications.forEach((application, i) => {
      application.rollBack(this.#durable.progress[i]!);
    });
    this.#isDown = false;
    this.#world.note(this.#number, `is back: ${this}`);
    this.#wake(now);
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

function keyOf(localPort: number, remoteAddress: number, remotePort: number): number {
  return ((remoteAddress & 0xff) * 65536 + localPort) * 65536 + remotePort;
}
