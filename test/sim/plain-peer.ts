import { type IpAddress, parseAddress } from '../../tcp/address.ts';
import { pseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { emitIp, ipHeaderLength } from '../../tcp/wire/ip.ts';
import { PROTOCOL_TCP } from '../../tcp/wire/ipv4.ts';
import {
  ACK,
  emitTcp,
  FIN,
  PSH,
  RST,
  SYN,
  TcpHeader,
  tcpHeaderLength,
} from '../../tcp/wire/tcp.ts';
import { type Flow, otherRole, type Role } from './flow.ts';
import type { NetworkHost, World } from './network-host.ts';
import { addressOf, packetOf, segmentOf } from './packet.ts';
import type { Random } from './random.ts';
import type { EndPlan, PlainPlan } from './scenario.ts';
import type { Text } from './text.ts';
import { must, Violation } from './violation.ts';

/** Segments in flight at most: there is no congestion control. */
const MOST_IN_FLIGHT = 16;
const MAX_RTO = 8000;
/** As long as the stack might wait for news that are lost for good, milliseconds. */
const PATIENCE = 300_000;

/** Octets that came before those that precede them. */
interface Held {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/**
 * The other TCP: one connection, written from RFC 9293 alone, as plainly as it will go. Go-back-N with a fixed timeout; what
 * comes out of order is dropped, unless SACK was agreed on; every segment with text is acknowledged at once; what has arrived
 * counts as read. Numbers of the stream count from 0 and never wrap.
 */
export class PlainPeer implements NetworkHost {
  readonly #plan: PlainPlan;
  readonly #end: EndPlan;
  readonly #flow: Flow;
  readonly #role: Role;
  readonly #world: World;
  readonly #random: Random;
  readonly #says: Text;
  readonly #hears: Text;
  readonly #localPort: number;
  #remotePort: number;
  readonly #localAddress: IpAddress;
  readonly #remoteAddress: IpAddress;

  #state: 'closed' | 'listen' | 'syn-sent' | 'syn-received' | 'open' | 'over' = 'closed';
  readonly #iss: number;
  #irs = 0;
  // Sending, by offset. The FIN is the octet behind the text.
  #una = 0;
  #nxt = 0;
  #max = 0;
  #window = 0;
  #wl1 = 0;
  #wl2 = 0;
  #isScaled = false;
  #peerScale = 0;
  #ownScale = 0;
  #mss = 536;
  // Receiving, by offset.
  #rcvNxt = 0;
  #edge = 0;
  #isFinHeard = false;
  #usesSack = false;
  #held: Held[] = [];
  // The one timer.
  #expiresAt = Infinity;
  #backoff = 0;

  constructor(number: number, plan: PlainPlan, world: World, random: Random, flow: Flow) {
    this.#plan = plan;
    this.#world = world;
    this.#random = random;
    this.#flow = flow;
    this.#role = flow.plan.client.host === number ? 'client' : 'server';
    this.#end = flow.end(this.#role);
    this.#says = flow.texts[this.#role];
    this.#hears = flow.texts[otherRole(this.#role)];
    const isClient = this.#role === 'client';
    this.#localPort = isClient ? flow.plan.clientPort || 5000 : flow.plan.port;
    this.#remotePort = isClient ? flow.plan.port : flow.plan.clientPort;
    const { host } = flow.end(otherRole(this.#role));
    this.#localAddress = parseAddress(addressOf(number, flow.plan.isIpv6))!;
    this.#remoteAddress = parseAddress(addressOf(host, flow.plan.isIpv6))!;
    this.#iss = random.u32();
    const { events } = world;
    if (isClient || flow.isSimultaneous) events.at(flow.plan.startsAt, () => this.#connect());
    else this.#state = 'listen';
    if (flow.isRude) this.#losePatience();
    for (const { from } of plan.windows) events.at(from, () => this.#windowChanges());
  }

  get isDone(): boolean {
    if (this.#state === 'listen' && this.#flow.brokenAt < Infinity) return true;
    return this.#state === 'over' || (this.#isFinHeard && this.#una === this.#says.length + 1);
  }

  toString(): string {
    const said = Math.min(this.#una, this.#says.length);
    return (
      `plain ${this.#role} ${this.#state}: said ${said} of ${this.#says.length}, ` +
      `heard ${this.#rcvNxt} of ${this.#hears.length}`
    );
  }

  /** The news that the other has given up may be lost, and who has nothing to say never learns. */
  #losePatience(): void {
    const { events } = this.#world;
    events.at(events.now + PATIENCE, () => {
      if (events.now > this.#flow.brokenAt + PATIENCE) this.#state = 'over';
      else this.#losePatience();
    });
  }

  #connect(): void {
    if (this.#state !== 'closed') return;
    this.#state = 'syn-sent';
    this.#sendSyn();
  }

  receive(bytes: Uint8Array): void {
    const segment = segmentOf(bytes);
    if (segment === undefined || segment.destinationPort !== this.#localPort) return;
    if (this.#remotePort !== 0 && segment.sourcePort !== this.#remotePort) return;
    switch (this.#state) {
      case 'closed':
      case 'over':
        this.#refuse(segment);
        break;
      case 'listen':
        this.#arrivesInListen(segment);
        break;
      case 'syn-sent':
        this.#arrivesInSynSent(segment);
        break;
      case 'syn-received':
        this.#arrivesInSynReceived(segment, bytes);
        break;
      case 'open':
        this.#arrivesInOpen(segment, bytes);
        break;
    }
  }

  #arrivesInListen(segment: TcpHeader): void {
    if (segment.flags & (RST | ACK) || (segment.flags & SYN) === 0) {
      this.#refuse(segment);
      return;
    }
    this.#remotePort = segment.sourcePort;
    this.#state = 'syn-received';
    this.#synArrives(segment);
    this.#sendSyn();
  }

  #arrivesInSynSent(segment: TcpHeader): void {
    const { flags, SEG_ACK } = segment;
    // Nobody is there yet: the SYN goes out again when its time comes.
    if (flags & RST) return;
    if (flags & ACK && SEG_ACK !== this.#seq(0)) {
      this.#refuse(segment);
      return;
    }
    if ((flags & SYN) === 0) return;
    this.#synArrives(segment);
    if (flags & ACK) {
      this.#open(segment);
      this.#acknowledge();
      this.#pump();
    } else {
      this.#state = 'syn-received';
      this.#sendSyn();
    }
  }

  #arrivesInSynReceived(segment: TcpHeader, bytes: Uint8Array): void {
    const { flags, SEG_ACK, SEG_SEQ } = segment;
    if (flags & RST) {
      // The SYN was of an attempt that is over; another may come.
      if (this.#role === 'server' && !this.#flow.isSimultaneous) {
        this.#state = 'listen';
        this.#remotePort = 0;
      } else {
        this.#state = 'syn-sent';
      }
      return;
    }
    if (flags & SYN && (flags & ACK) === 0) {
      // The peer has tried again, with other numbers if it has forgotten the first ones.
      if (SEG_SEQ !== this.#irs) this.#synArrives(segment);
      this.#sendSyn();
      return;
    }
    if ((flags & ACK) === 0) return;
    const acked = (SEG_ACK - this.#seq(0)) | 0;
    if (acked < 0 || acked > 0) {
      this.#refuse(segment);
      return;
    }
    if (flags & SYN && SEG_SEQ !== this.#irs) return;
    this.#open(segment);
    if (flags & SYN) {
      this.#acknowledge();
      this.#pump();
    } else {
      this.#arrivesInOpen(segment, bytes);
    }
  }

  /** The peer's SYN: its numbers begin here. */
  #synArrives(segment: TcpHeader): void {
    const { options, SEG_SEQ } = segment;
    this.#irs = SEG_SEQ;
    this.#mss = Math.min(this.#plan.mss, options.hasMss ? options.mss : 536);
    this.#isScaled = options.hasWindowScale && this.#plan.scale >= 0;
    this.#peerScale = this.#isScaled ? options.windowScale : 0;
    this.#ownScale = this.#isScaled ? this.#plan.scale : 0;
    this.#usesSack = options.sackPermitted && this.#plan.offersSack;
    this.#window = segment.SEG_WND;
    this.#edge = 0;
  }

  #open(segment: TcpHeader): void {
    this.#state = 'open';
    this.#expiresAt = Infinity;
    this.#backoff = 0;
    this.#window = segment.SEG_WND * (segment.flags & SYN ? 1 : 2 ** this.#peerScale);
  }

  #arrivesInOpen(segment: TcpHeader, bytes: Uint8Array): void {
    const { flags, SEG_LEN, payloadOffset, payloadLength } = segment;
    const from = this.#offset(segment.SEG_SEQ, this.#irs, this.#rcvNxt);
    const past = from + SEG_LEN;
    const next = this.#rcvNxt + (this.#isFinHeard ? 1 : 0);
    if (flags & RST) {
      if (from === next) this.#reset();
      else if (from > next && from < this.#edge) this.#acknowledge();
      return;
    }
    if (flags & SYN) {
      this.#acknowledge();
      return;
    }
    if ((flags & ACK) === 0) return;
    const isAcceptable =
      from === next ||
      (from > next && from < this.#edge) ||
      (SEG_LEN > 0 && past > next && past <= this.#edge);
    if (!isAcceptable && SEG_LEN === 0) {
      // The answer to a probe, or what is left of it.
      this.#acknowledge();
      return;
    }
    const acked = this.#offset(segment.SEG_ACK, this.#iss, this.#una);
    must(acked <= this.#max, 'the plain peer got an acknowledgment of what it never sent');
    if (isAcceptable) this.#acknowledgmentArrives(segment, acked);
    if (SEG_LEN > 0) {
      const text = bytes.subarray(payloadOffset, payloadOffset + payloadLength);
      this.#textArrives(from, text, (flags & FIN) !== 0);
      this.#acknowledge();
    }
    this.#behave();
    if (this.#state === 'open') this.#pump();
  }

  #acknowledgmentArrives(segment: TcpHeader, acked: number): void {
    if (acked < this.#una) return;
    const from = this.#offset(segment.SEG_SEQ, this.#irs, this.#rcvNxt);
    // What acknowledges more is newer whatever its number: it may be text that was sent again.
    if (acked > this.#una || from > this.#wl1 || (from === this.#wl1 && acked >= this.#wl2)) {
      this.#window = segment.SEG_WND * 2 ** this.#peerScale;
      this.#wl1 = from;
      this.#wl2 = acked;
      // The answer to a probe shows that the peer lives.
      if (this.#window > 0) this.#backoff = 0;
    }
    if (acked === this.#una) return;
    this.#una = acked;
    this.#nxt = Math.max(this.#nxt, acked);
    this.#backoff = 0;
    this.#expiresAt = Infinity;
  }

  #textArrives(from: number, text: Uint8Array, isFin: boolean): void {
    must(
      this.#hears.says(from, text, 0, text.length),
      () => `the plain peer got ${text.length} bytes at ${from} that were not said there`,
    );
    const past = from + text.length;
    if (isFin) {
      must(past === this.#hears.length || this.#flow.isRude, 'the plain peer got a FIN too early');
    }
    if (from > this.#rcvNxt) {
      if (this.#usesSack && past <= this.#edge) this.#hold(from, text);
      return;
    }
    if (past > this.#rcvNxt) this.#rcvNxt = Math.min(past, Math.max(this.#edge, this.#rcvNxt));
    this.#release();
    if (isFin && this.#rcvNxt === past) this.#isFinHeard = true;
  }

  #hold(from: number, text: Uint8Array): void {
    if (text.length === 0) return;
    this.#held.unshift({ from, bytes: text.slice() });
    if (this.#held.length > 32) this.#held.pop();
    // RFC 2018 section 8: what was only selectively acknowledged may be discarded.
    if (this.#random.chance(this.#plan.reneges)) this.#held = [];
  }

  /** What was held and is now in order. */
  #release(): void {
    for (;;) {
      const next = this.#held.find(
        ({ from, bytes }) => from <= this.#rcvNxt && from + bytes.length > this.#rcvNxt,
      );
      if (next === undefined) break;
      this.#rcvNxt = next.from + next.bytes.length;
    }
    this.#held = this.#held.filter(({ from }) => from > this.#rcvNxt);
  }

  /** What the program of this end does beside reading and writing. */
  #behave(): void {
    const { ending, endsAfter } = this.#end;
    if (ending !== 'abort' && ending !== 'drop') return;
    if (this.#una + this.#rcvNxt < endsAfter) return;
    this.#flow.brokenAt = Math.min(this.#flow.brokenAt, this.#world.events.now);
    this.#send(this.#seq(this.#max), RST | ACK, 0, 0);
    this.#state = 'over';
  }

  #reset(): void {
    const isHeard = this.#isFinHeard || this.#rcvNxt === this.#hears.length;
    // Whoever has left its side to TCP may be gone before our FIN.
    const isOver = isHeard && this.#una >= this.#says.length && this.#flow.isHasty;
    // A leap of its clock has ended the TIME-WAIT that would have answered our FIN.
    const isGone = this.#isFinHeard && this.#una >= this.#says.length;
    if (!this.#flow.isRude && !isOver && !isGone) throw new Violation(`reset: ${this}`);
    this.#state = 'over';
  }

  /** Everything that may be sent. */
  #pump(): void {
    const { length } = this.#says;
    const most = Math.min(this.#window, MOST_IN_FLIGHT * this.#mss);
    while (this.#nxt < length && this.#nxt < this.#una + most) {
      const room = Math.min(this.#una + most, length) - this.#nxt;
      this.#sendText(this.#nxt, Math.min(room, this.#segmentSize()));
    }
    const mayFinish = this.#end.ending !== 'last' || this.#isFinHeard;
    if (this.#nxt === length && mayFinish && this.#nxt < this.#una + most) this.#sendFin();
    const isWaiting = this.#una < length || (mayFinish && this.#una === length);
    if (isWaiting && this.#expiresAt === Infinity) this.#startTimer();
  }

  #segmentSize(): number {
    if (!this.#plan.sendsCrumbs) return this.#mss;
    return this.#random.between(1, this.#random.chance(0.3) ? 2 : this.#mss);
  }

  #sendText(offset: number, length: number): void {
    this.#send(this.#seq(offset), ACK | PSH, offset, length);
    this.#nxt = offset + length;
    this.#max = Math.max(this.#max, this.#nxt);
  }

  #sendFin(): void {
    this.#send(this.#seq(this.#says.length), FIN | ACK, 0, 0);
    this.#nxt = this.#says.length + 1;
    this.#max = this.#nxt;
  }

  #startTimer(): void {
    const { events } = this.#world;
    const at = events.now + Math.min(MAX_RTO, this.#plan.rto * 2 ** this.#backoff);
    this.#expiresAt = at;
    events.at(at, () => {
      if (this.#expiresAt === at) this.#expired();
    });
  }

  #expired(): void {
    this.#expiresAt = Infinity;
    this.#backoff++;
    if (this.#world.events.now > this.#flow.brokenAt + PATIENCE) this.#state = 'over';
    switch (this.#state) {
      case 'syn-sent':
      case 'syn-received':
        this.#sendSyn();
        break;
      case 'open':
        this.#nxt = this.#una;
        if (this.#window > 0) this.#pump();
        else this.#probe();
        break;
    }
  }

  /** One octet beyond the window (RFC 9293 section 3.8.6.1). */
  #probe(): void {
    if (this.#una < this.#says.length) this.#sendText(this.#una, 1);
    else this.#sendFin();
    this.#startTimer();
  }

  #windowChanges(): void {
    if (this.#state === 'open' && this.#plan.tellsOfWindows) this.#acknowledge();
  }

  #sendSyn(): void {
    this.#send(this.#iss, this.#state === 'syn-sent' ? SYN : SYN | ACK, 0, 0);
    this.#startTimer();
  }

  #acknowledge(): void {
    this.#send(this.#seq(this.#max), ACK, 0, 0);
  }

  /** An acceptable acknowledgment of something else, or no connection at all (RFC 9293 section 3.10.7.1). */
  #refuse(segment: TcpHeader): void {
    if (segment.flags & RST) return;
    if (segment.flags & ACK) {
      this.#emit(segment.sourcePort, segment.SEG_ACK, 0, RST, 0, undefined);
    } else {
      const ack = (segment.SEG_SEQ + segment.SEG_LEN) >>> 0;
      this.#emit(segment.sourcePort, 0, ack, RST | ACK, 0, undefined);
    }
  }

  #send(seq: number, flags: number, offset: number, length: number): void {
    const ack = (this.#irs + 1 + this.#rcvNxt + (this.#isFinHeard ? 1 : 0)) >>> 0;
    const text = length > 0 ? this.#says.bytes(offset, length) : undefined;
    this.#emit(this.#remotePort, seq, flags & ACK ? ack : 0, flags, this.#offer(flags), text);
  }

  /** The window field, from the plan; the edge stays where it is, unless this peer is one that takes it back. */
  #offer(flags: number): number {
    const { now } = this.#world.events;
    const window = this.#plan.windows.findLast(({ from }) => from <= now)!.window;
    const wanted = this.#rcvNxt + window;
    const least = this.#plan.shrinks ? 0 : this.#edge - this.#rcvNxt;
    const unit = 2 ** (flags & SYN ? 0 : this.#ownScale);
    const size = Math.max(wanted - this.#rcvNxt, least, 0);
    const field = Math.min(0xffff, Math.ceil(size / unit));
    this.#edge = Math.max(this.#edge, this.#rcvNxt + field * unit);
    return field;
  }

  #emit(
    remotePort: number,
    seq: number,
    ack: number,
    flags: number,
    window: number,
    text: Uint8Array | undefined,
  ): void {
    const header = new TcpHeader();
    header.sourcePort = this.#localPort;
    header.destinationPort = remotePort;
    header.SEG_SEQ = seq;
    header.SEG_ACK = ack;
    header.flags = flags;
    header.SEG_WND = window;
    if (flags & SYN) {
      const isAnswer = (flags & ACK) !== 0;
      header.options.hasMss = true;
      header.options.mss = this.#plan.mss;
      header.options.hasWindowScale = this.#plan.scale >= 0 && (!isAnswer || this.#isScaled);
      header.options.windowScale = Math.max(0, this.#plan.scale);
      header.options.sackPermitted = this.#plan.offersSack && (!isAnswer || this.#usesSack);
    } else if (this.#usesSack && (flags & RST) === 0) {
      this.#writeSack(header);
    }
    const length = tcpHeaderLength(header) + (text?.length ?? 0);
    const [source, destination] = [this.#localAddress, this.#remoteAddress];
    const bytes = new Uint8Array(ipHeaderLength(destination) + length);
    const view = new DataView(bytes.buffer);
    const at = emitIp(view, 0, source, destination, PROTOCOL_TCP, 64, 0, 0, length);
    if (text !== undefined) bytes.set(text, at + tcpHeaderLength(header));
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
    emitTcp(view, at, header, text?.length ?? 0, sum);
    this.#world.send(packetOf(bytes));
  }

  #writeSack(header: TcpHeader): void {
    const { options } = header;
    for (const { from, bytes } of this.#held.slice(0, 3)) {
      const at = 2 * options.sackCount++;
      options.sackEdges[at] = (this.#irs + 1 + from) >>> 0;
      options.sackEdges[at + 1] = (this.#irs + 1 + from + bytes.length) >>> 0;
    }
  }

  #seq(offset: number): number {
    return (this.#iss + 1 + offset) >>> 0;
  }

  /** The offset nearest to `near` of a number of the side whose SYN was `initial`. */
  #offset(seq: number, initial: number, near: number): number {
    return near + ((seq - (initial + 1 + near)) | 0);
  }
}
