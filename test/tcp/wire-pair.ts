import type { Absence } from '../../tcp/absence.ts';
import type { IpAddress } from '../../tcp/address.ts';
import type { Egress } from '../../tcp/egress.ts';
import { Pcb, RECORD_LENGTH } from '../../tcp/pcb.ts';
import { Stack, type StackOptions } from '../../tcp/stack.ts';
import { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { pseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { Ipv4Header, PROTOCOL_TCP, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import { Ipv6Header, parseIpv6 } from '../../tcp/wire/ipv6.ts';
import { ACK, FIN, PSH, parseTcp, RST, SYN, TcpHeader } from '../../tcp/wire/tcp.ts';
import { type Random, seeded } from '../seeded.ts';

/** What the wire does to a packet. Probabilities are in thousandths, delays in milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  /** The longest extra delay that overtaking packets get. */
  readonly jitter: number;
}

export const FAIR: Weather = { loss: 0, duplication: 0, jitter: 0 };

export interface Packet {
  readonly from: Side;
  readonly bytes: Uint8Array;
  readonly at: number;
}

export type Side = 'a' | 'b';

export const ADDRESS = { a: '10.7.0.1', b: '10.7.0.2' } as const;
export const ADDRESS6 = { a: 'fd00:7::1', b: 'fd00:7::2' } as const;

/** A whole engine's worth of memory for packets; hands each to `deliver` as soon as it is complete. */
export class Capture implements Egress {
  readonly bytes = new Uint8Array(1 << 16);
  readonly view = new DataView(this.bytes.buffer);
  readonly #deliver: (packet: Uint8Array) => void;
  /** How many packets fit before it is full. */
  room = Infinity;
  commitUnfinished?: (length: number, segmentSize: number) => void;

  constructor(deliver: (packet: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  reserve(length: number): number {
    return length <= this.bytes.length && this.room > 0 ? 0 : -1;
  }

  commit(length: number): void {
    this.room--;
    this.#deliver(this.bytes.slice(0, length));
  }
}

/** What the journal would hold of a stack: the newest record and streams that were dirty at the end of a turn. */
class Store {
  readonly #connections = new Map<
    number,
    { record: Uint8Array; sent: Uint8Array; received: Uint8Array }
  >();

  readonly #udpSockets = new Map<number, { record: Uint8Array; received: Uint8Array }>();

  commit(stack: Stack): void {
    for (const pcb of stack.takeDirty()) {
      if (pcb instanceof UdpPcb) this.#commitUdp(pcb);
      if (!(pcb instanceof Pcb)) continue;
      const sent = new Uint8Array(pcb.SEND_END - pcb.SEND_START);
      if (sent.length > 0) pcb.sendStream.copy(pcb.SEND_START, sent.length, sent);
      const received = new Uint8Array(pcb.RECEIVE_END - pcb.RECEIVE_START);
      if (received.length > 0) pcb.receiveStream.copy(pcb.RECEIVE_START, received.length, received);
      this.#connections.set(pcb.ID, { record: pcb.record.slice(), sent, received });
    }
    for (const { ID } of stack.takeRemoved()) {
      this.#connections.delete(ID);
      this.#udpSockets.delete(ID);
    }
  }

  #commitUdp(pcb: UdpPcb): void {
    const received = new Uint8Array(pcb.RECEIVE_END - pcb.RECEIVE_START);
    if (received.length > 0) pcb.receiveStream.copy(pcb.RECEIVE_START, received.length, received);
    this.#udpSockets.set(pcb.ID, { record: pcb.record.slice(), received });
  }

  restoreInto(stack: Stack): void {
    for (const { record, sent, received } of this.#connections.values()) {
      const pcb = stack.restore(record);
      if (sent.length > 0) pcb.sendStream.append(sent);
      if (received.length > 0) pcb.receiveStream.append(received);
    }
    for (const { record, received } of this.#udpSockets.values()) {
      const pcb = stack.udp.restore(record);
      if (received.length > 0) pcb.receiveStream.append(received);
    }
  }

  get size(): number {
    return this.#connections.size;
  }
}

/** One stack at its end of the wire. Calls come through here only to know the time. */
export class Station {
  readonly side: Side;
  readonly options: Partial<StackOptions>;
  readonly #wire: WirePair;
  readonly #egress: Capture;
  #store = new Store();
  stack: Stack;

  constructor(wire: WirePair, side: Side, options: Partial<StackOptions>) {
    this.#wire = wire;
    this.side = side;
    this.options = options;
    this.#egress = new Capture((bytes) => wire.carry(side, bytes));
    this.stack = this.#newStack();
  }

  get egress(): Capture {
    return this.#egress;
  }

  get stored(): number {
    return this.#store.size;
  }

  listen(port: number, backlog = 16): Pcb {
    const pcb = this.stack.create();
    this.stack.bind(pcb, { address: '::', port });
    this.stack.listen(pcb, backlog);
    return pcb;
  }

  connect(port: number, address: string = ADDRESS[this.side === 'a' ? 'b' : 'a']): Pcb {
    const pcb = this.stack.create();
    this.stack.connect(pcb, { address, port }, this.#wire.now);
    return pcb;
  }

  send(pcb: Pcb, source: Uint8Array): number {
    return this.stack.send(pcb, source, this.#wire.now);
  }

  /** All that can be read now. */
  receive(pcb: Pcb): Uint8Array {
    const target = new Uint8Array(pcb.readable);
    const count = this.stack.receive(pcb, target, this.#wire.now);
    return target.subarray(0, count);
  }

  shutdown(pcb: Pcb): void {
    this.stack.shutdown(pcb, this.#wire.now);
  }

  close(pcb: Pcb): void {
    this.stack.close(pcb, this.#wire.now);
  }

  abort(pcb: Pcb): void {
    this.stack.abort(pcb, this.#wire.now);
  }

  /** The end of a turn: everything is written, then committed. What was written leaves at once, for nothing fails in between. */
  turn(): void {
    this.stack.tick(this.#wire.now);
    while (!this.stack.transmit(this.#wire.now, this.#egress)) this.#egress.room = Infinity;
    this.stack.takeChanged();
    this.#store.commit(this.stack);
  }

  /** The engine dies and another one takes over from the store, `pause` milliseconds later. PCBs are to be looked up again. */
  restart(pause = 0): void {
    const began = this.#wire.now;
    this.#wire.now += pause;
    this.#restore({ began, atLeast: pause, estimate: pause });
  }

  /** The same, and the host has gone down as well: its clock is another one, and only the wall clock tells of the pause. */
  reboot(clock: number, pause: number): void {
    const began = this.#wire.now;
    this.#wire.now = clock;
    this.#restore({ began, atLeast: 0, estimate: pause });
  }

  #restore(absence: Absence): void {
    this.stack = this.#newStack();
    this.#store.restoreInto(this.stack);
    this.stack.resume(this.#wire.now, absence);
  }

  pcb(id: number): Pcb {
    return this.stack.pcbs.get(id)!;
  }

  #newStack(): Stack {
    const random = this.#wire.random;
    return new Stack({
      address: ADDRESS[this.side],
      prefix: 24,
      // RFC 8200 section 5: there is no IPv6 over smaller packets.
      ...((this.options.mtu ?? 1500) >= 1280 && { address6: ADDRESS6[this.side] }),
      mtu: 1500,
      secret: Uint8Array.from({ length: 16 }, (_, i) => i * 7 + this.side.charCodeAt(0)),
      entropy: () => random(2 ** 32),
      now: this.#wire.now,
      ...this.options,
    });
  }
}

/** Two stacks and the wire between them, on virtual time. Everything follows from the seed. */
export class WirePair {
  readonly random: Random;
  now = 1000;
  weather: Weather = FAIR;
  /** One way, milliseconds. */
  delay = 5;
  readonly a: Station;
  /** Who has B's address; another host may have it later. */
  b: Station;
  /** Every packet that was sent, also those that got lost. */
  readonly sent: Packet[] = [];
  /** Whether `sent` is kept. */
  keeps = true;
  /** Says of each packet whether it may go. */
  filter: (packet: Packet) => boolean = () => true;
  /** Called when packets have arrived and nothing has been committed since. */
  onArrival: () => void = () => {};
  #flying: { due: number; order: number; to: Side; bytes: Uint8Array }[] = [];
  #order = 0;

  constructor(
    seed: number,
    options: { a?: Partial<StackOptions>; b?: Partial<StackOptions> } = {},
  ) {
    this.random = seeded(seed);
    this.a = new Station(this, 'a', options.a ?? {});
    this.b = new Station(this, 'b', options.b ?? {});
  }

  /** A packet leaves `from`. */
  carry(from: Side, bytes: Uint8Array): void {
    const packet = { from, bytes, at: this.now };
    if (this.keeps) this.sent.push(packet);
    if (!this.filter(packet)) return;
    const { loss, duplication } = this.weather;
    if (this.random(1000) < loss) return;
    this.#fly(from === 'a' ? 'b' : 'a', bytes);
    if (this.random(1000) < duplication) this.#fly(from === 'a' ? 'b' : 'a', bytes);
  }

  /** Puts a packet of nobody's on the wire. */
  inject(to: Side, bytes: Uint8Array): void {
    this.#fly(to, bytes);
  }

  #fly(to: Side, bytes: Uint8Array): void {
    const { jitter } = this.weather;
    const due = this.now + this.delay + (jitter > 0 ? this.random(jitter) : 0);
    this.#flying.push({ due, order: this.#order++, to, bytes });
  }

  /** Lets time pass up to the next event. False: nothing will ever happen again. */
  step(until = Infinity): boolean {
    this.a.turn();
    this.b.turn();
    let next = Math.min(this.a.stack.deadline, this.b.stack.deadline);
    for (const { due } of this.#flying) next = Math.min(next, due);
    if (next === Infinity || next > until) return false;
    this.now = Math.max(this.now, next);
    const due = this.#flying
      .filter((packet) => packet.due <= this.now)
      .sort((x, y) => x.due - y.due || x.order - y.order);
    this.#flying = this.#flying.filter((packet) => packet.due > this.now);
    for (const { to, bytes } of due) {
      this[to].stack.arrive(bytes, 0, bytes.length, this.now);
    }
    if (due.length > 0) this.onArrival();
    this.a.turn();
    this.b.turn();
    return true;
  }

  /** Steps until `condition` holds; fails when it cannot, or not within `limit` milliseconds of virtual time. */
  until(condition: () => boolean, what: string, limit = 3600_000): void {
    const end = this.now + limit;
    while (!condition()) {
      if (!this.step(end)) throw new Error(`${what}: never came true`);
    }
  }

  /** Lets `milliseconds` pass. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (this.step(end));
    this.now = end;
    this.a.turn();
    this.b.turn();
  }

  /** Connected: the two ends. */
  establish(port = 80, address?: string): { a: Pcb; b: Pcb; listener: Pcb } {
    const listener = this.b.listen(port);
    const a = this.a.connect(port, address);
    this.until(() => this.b.stack.acceptable(listener), 'the connection is established');
    return { a, b: this.b.stack.accept(listener)!, listener };
  }
}

/** Packets of nobody's arrive at B, all in one turn: what it sends then. */
export function arriveAtB(wire: WirePair, ...packets: Uint8Array[]): Uint8Array[] {
  const before = wire.sent.length;
  for (const bytes of packets) wire.b.stack.arrive(bytes, 0, bytes.length, wire.now);
  wire.b.turn();
  return wire.sent.slice(before).map(({ bytes }) => bytes);
}

/** A packet as text for assertions: `a SYN,ACK seq ack length`. */
export interface Segment {
  readonly from: Side;
  readonly flags: string;
  readonly header: TcpHeader;
}

const FLAG_NAMES = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
] as const;

/** Between whom a packet is, and where in it the transport's header is. */
export function ipIn(bytes: Uint8Array): {
  source: IpAddress;
  destination: IpAddress;
  at: number;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ip = new Ipv4Header();
  if (parseIpv4(view, 0, bytes.length, ip)) {
    const { source, destination, headerLength } = ip;
    return { source, destination, at: headerLength };
  }
  const ip6 = new Ipv6Header();
  if (!parseIpv6(view, 0, bytes.length, ip6)) throw new Error('no IP packet');
  return { source: ip6.source, destination: ip6.destination, at: ip6.headerLength };
}

/** The TCP segment in a packet. */
export function segmentIn(packet: Packet): Segment {
  const view = new DataView(packet.bytes.buffer);
  const header = new TcpHeader();
  const { source, destination, at } = ipIn(packet.bytes);
  const length = packet.bytes.length - at;
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
  if (!parseTcp(view, at, length, sum, header)) throw new Error('no TCP segment');
  const names = FLAG_NAMES.filter(([flag]) => header.flags & flag).map(([, name]) => name);
  return { from: packet.from, flags: names.join(','), header };
}

export { RECORD_LENGTH };
