import type { Stack } from '../../tcp/stack.ts';
import { TcpError } from '../../tcp/tcp-error.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { addressOf, datagramIn, type Packet } from './packet.ts';
import type { Program } from './program.ts';
import type { Random } from './random.ts';
import type { DatagramPlan } from './scenario.ts';
import { Text } from './text.ts';
import { must } from './violation.ts';

/** Bytes of the number that each datagram begins with. */
const NUMBER_LENGTH = 4;

/** How long after the sender's last datagram the receiver goes on listening, milliseconds. */
const PATIENCE = 5000;

/** Datagrams that one program is to send another, and what has become of them. */
export class DatagramFlow {
  readonly plan: DatagramPlan;
  /** By number: bytes. */
  readonly #lengths: readonly number[];
  readonly #text: Text;
  /** By number: how often it has left its host, and how many copies have come to the other whole. */
  readonly #left: number[];
  readonly #arrived: number[];
  /** When the sender was done; Infinity: it is not. */
  saidAt = Infinity;
  /** How many the receiver has read. */
  heard = 0;

  constructor(plan: DatagramPlan, random: Random) {
    this.plan = plan;
    this.#lengths = Array.from({ length: plan.count }, () =>
      Math.floor(random.magnitude(NUMBER_LENGTH, plan.longest)),
    );
    this.#text = new Text(random, plan.count + plan.longest);
    this.#left = this.#lengths.map(() => 0);
    this.#arrived = this.#lengths.map(() => 0);
  }

  payload(number: number): Uint8Array {
    const bytes = new Uint8Array(this.#text.bytes(number, this.#lengths[number]!));
    new DataView(bytes.buffer).setUint32(0, number);
    return bytes;
  }

  /** A packet has left its host: nothing leaves twice. */
  sent(packet: Packet): void {
    const number = this.#numberIn(packet);
    if (number === undefined) return;
    this.#left[number]!++;
    must(this.#left[number] === 1, () => `datagram ${number} has left twice`);
  }

  /** A packet has come to its host whole. */
  delivered(packet: Packet): void {
    const number = this.#numberIn(packet);
    if (number !== undefined) this.#arrived[number]!++;
  }

  /** Of the datagram that a packet is, or begins. */
  #numberIn({ from, to, bytes }: Packet): number | undefined {
    if (from !== this.plan.sender || to !== this.plan.receiver) return undefined;
    const datagram = datagramIn(bytes);
    if (datagram?.destinationPort !== this.plan.port) return undefined;
    return numberOf(datagram.payload);
  }

  /**
   * A datagram has been read: it is what was sent, and not read more often than it has come.
   * @param times by number, how often the program has read each
   */
  checkHeard(payload: Uint8Array, times: number[]): void {
    const number = numberOf(payload);
    must(number < this.plan.count, () => `there is no datagram ${number}`);
    must(
      Buffer.compare(payload, this.payload(number)) === 0,
      () => `datagram ${number} is not what it was`,
    );
    times[number]!++;
    must(
      times[number]! <= this.#arrived[number]!,
      () => `datagram ${number} is read ${times[number]} times, and came ${this.#arrived[number]}`,
    );
  }
}

function numberOf(payload: Uint8Array): number {
  must(payload.length >= NUMBER_LENGTH, 'a datagram of nobody');
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

interface SenderProgress {
  /** ID of the socket; 0: none. */
  socket: number;
  said: number;
}

/** Sends what it has to, whatever it is told of the peer. */
export class DatagramSender implements Program {
  readonly #flow: DatagramFlow;
  #progress: SenderProgress = { socket: 0, said: 0 };
  #hasAnswers = false;
  /** Of the moment, and free to be forgotten. */
  #sendsAt: number;

  constructor(flow: DatagramFlow) {
    this.#flow = flow;
    this.#sendsAt = flow.plan.startsAt;
  }

  get isDone(): boolean {
    return this.#progress.said === this.#flow.plan.count && this.#progress.socket === 0;
  }

  takeAnswered(): boolean {
    const had = this.#hasAnswers;
    this.#hasAnswers = false;
    return had;
  }

  snapshot(): SenderProgress {
    return { ...this.#progress };
  }

  rollBack(snapshot: SenderProgress): void {
    this.#progress = { ...snapshot };
    this.#hasAnswers = false;
    this.#sendsAt = 0;
    this.#flow.saidAt = Infinity;
  }

  patience(): number {
    return Infinity;
  }

  /** A UDP socket stays where it is. */
  readonly isMovable = false;

  departs(): void {}

  arrives(): void {}

  toString(): string {
    return `has sent ${this.#progress.said} of ${this.#flow.plan.count} datagrams`;
  }

  act(stack: Stack, now: number, clock: number): number {
    const progress = this.#progress;
    const { count, interval, burst } = this.#flow.plan;
    if (this.isDone) {
      this.#flow.saidAt = Math.min(this.#flow.saidAt, now);
      return Infinity;
    }
    if (now < this.#sendsAt) return this.#sendsAt;
    const pcb = this.#socket(stack);
    for (let i = 0; i < burst && progress.said < count; i++) {
      if (!this.#send(stack, pcb, clock)) break;
      progress.said++;
      this.#hasAnswers = true;
    }
    this.#sendsAt = now + interval;
    if (progress.said < count) return this.#sendsAt;
    stack.udp.close(pcb);
    progress.socket = 0;
    return now;
  }

  #socket(stack: Stack): UdpPcb {
    const known = stack.udp.pcbs.get(this.#progress.socket);
    must(known !== undefined || this.#progress.socket === 0, "the sender's socket is not there");
    if (known !== undefined) return known;
    const { receiver, port, isIpv6, isConnected } = this.#flow.plan;
    const pcb = stack.udp.create();
    const remote = { address: addressOf(receiver, isIpv6), port };
    stack.udp.bind(pcb, { address: '::', port: port + 1 });
    if (isConnected) stack.udp.connect(pcb, remote);
    else stack.udp.setDestination(pcb, remote);
    this.#progress.socket = pcb.ID;
    return pcb;
  }

  /** @returns whether it was taken */
  #send({ udp }: Stack, pcb: UdpPcb, clock: number): boolean {
    try {
      return udp.send(pcb, this.#flow.payload(this.#progress.said), clock);
    } catch (error) {
      // Of an earlier one, or no memory for this one.
      if (!(error instanceof TcpError)) throw error;
      return false;
    }
  }
}

interface ReceiverProgress {
  /** ID of the socket; 0: none. */
  socket: number;
  /** By number, how often each was read. */
  times: number[];
  isClosed: boolean;
}

/** The read side's memory; what it holds is checked at once. */
const target = new Uint8Array(1 << 16);

/** Reads what comes, for as long as something may. */
export class DatagramReceiver implements Program {
  readonly #flow: DatagramFlow;
  #progress: ReceiverProgress;
  /** Of the moment, and free to be forgotten. */
  #readsAt = 0;

  constructor(flow: DatagramFlow) {
    this.#flow = flow;
    const times = new Array<number>(flow.plan.count).fill(0);
    this.#progress = { socket: 0, times, isClosed: false };
  }

  get isDone(): boolean {
    return this.#progress.isClosed;
  }

  /** What RECEIVE changes is in the record of the socket. */
  takeAnswered(): boolean {
    return false;
  }

  snapshot(): ReceiverProgress {
    return { ...this.#progress, times: [...this.#progress.times] };
  }

  rollBack(snapshot: ReceiverProgress): void {
    this.#progress = { ...snapshot, times: [...snapshot.times] };
    this.#readsAt = 0;
  }

  patience(): number {
    return Infinity;
  }

  /** A UDP socket stays where it is. */
  readonly isMovable = false;

  departs(): void {}

  arrives(): void {}

  toString(): string {
    return `has read ${this.#progress.times.filter((count) => count > 0).length} datagrams`;
  }

  act(stack: Stack, now: number): number {
    const progress = this.#progress;
    if (progress.isClosed) return Infinity;
    if (progress.socket === 0) this.#open(stack);
    const pcb = stack.udp.pcbs.get(progress.socket);
    must(pcb !== undefined, "the receiver's socket is not there");
    const { readInterval } = this.#flow.plan;
    while (pcb.isReadable && now >= this.#readsAt) {
      const datagram = stack.udp.receive(pcb, target);
      must(datagram !== undefined, 'a socket is readable and has nothing to read');
      this.#flow.checkHeard(target.subarray(0, datagram.length), progress.times);
      this.#flow.heard++;
      if (readInterval > 0) this.#readsAt = now + readInterval;
    }
    if (pcb.isReadable) return this.#readsAt;
    if (now < this.#flow.saidAt + PATIENCE) return now + PATIENCE;
    stack.udp.close(pcb);
    progress.isClosed = true;
    return Infinity;
  }

  #open(stack: Stack): void {
    const { port, receiver, isIpv6 } = this.#flow.plan;
    const pcb = stack.udp.create();
    stack.udp.bind(pcb, { address: addressOf(receiver, isIpv6), port });
    this.#progress.socket = pcb.ID;
  }
}
