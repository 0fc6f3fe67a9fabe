import { formatAddress, parseAddress } from '../../tcp/address.ts';
import { DEFAULT_KEEPALIVE_IDLE } from '../../tcp/keepalive.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { seqAdd, seqSub } from '../../tcp/sequence.ts';
import { Stack } from '../../tcp/stack.ts';
import { isSynchronized } from '../../tcp/state.ts';
import { TcpError } from '../../tcp/tcp-error.ts';
import {
  type Ipv6Read,
  NEXT_HEADER,
  pseudoHeader6,
  readIpv6,
  writeIpv6,
} from '../tcp/ipv6-packet.ts';
import {
  FLAG,
  MalformedPacket,
  PROTOCOL,
  readIcmp,
  readIp,
  readTcp,
  type Tcp,
  type TcpOption,
  writeIcmp,
  writeIp,
  writeTcp,
} from '../tcp/scripts/packet.ts';
import { Capture } from '../tcp/wire-pair.ts';
import { extensions } from './extensions.ts';
import { fragmentsOf } from './fragments.ts';
import { Choices } from './input.ts';
import { Finding, Invariants } from './invariants.ts';

const STACK = '10.7.0.2';
const STACK6 = 'fd00:7::2';
const PEERS = ['10.7.0.1', '10.7.0.9', '192.0.2.1'] as const;
const PEERS6 = ['fd00:7::1', 'fd00:7::9', '2001:db8::1'] as const;
const PORTS = [80, 81, 1000, 1001, 1002] as const;
const BUFFER = 8192;
/** Kinds of TCP options that mean something only if what they say is nearly true. */
const SACK = 5;
const TIMESTAMPS = 8;
/** More of these at one instant: the stack goes round in circles. */
const MOST_PACKETS_AT_ONCE = 3000;
const MOST_TIMEOUTS_AT_ONCE = 300;
/** Beyond what a single step may reasonably open, by segments alone. */
const MOST_PCBS = 400;

/** A peer that knows everything about the stack and does whatever the input says. */
class Session {
  readonly #choices: Choices;
  readonly #stack: Stack;
  readonly #invariants: Invariants;
  readonly #egress: Capture;
  readonly #mtu: number;
  #now = 1_000_000;
  #packets = 0;
  #timeoutsNow = 0;
  /** The last TSval of the stack, as bytes. */
  #lastTimestamp = [0, 0, 0, 0];
  steps = 0;

  constructor(bytes: Uint8Array) {
    const choices = new Choices(bytes);
    this.#choices = choices;
    this.#mtu = choices.pick([576, 1280, 1500, 9000]);
    this.#stack = new Stack({
      address: STACK,
      prefix: 24,
      ...(this.#mtu >= 1280 && { address6: STACK6 }),
      mtu: this.#mtu,
      secret: new Uint8Array(16),
      entropy: () => choices.u32(),
      now: this.#now,
      receiveBuffer: BUFFER,
      sendBuffer: BUFFER,
      timeWait: 60_000,
    });
    this.#invariants = new Invariants(this.#stack, BUFFER);
    this.#egress = new Capture((packet) => this.#leaves(packet));
  }

  run(steps: number): void {
    for (let opened = this.#choices.below(4); opened > 0; opened--) this.#establish(opened);
    for (; this.steps < steps; this.steps++) {
      this.#step();
      this.#turn();
      this.#invariants.look();
      if (this.#stack.pcbs.size > MOST_PCBS) throw new Finding('PCBs without bound');
    }
  }

  /** A connection to begin with, so that not all of a short life goes by in handshakes. */
  #establish(peerPort: number): void {
    const stack = this.#stack;
    const pcb = stack.create();
    const [peer] = this.#choices.pick([PEERS, this.#peers()]);
    stack.connect(pcb, { address: peer, port: peerPort }, this.#now);
    this.#turn();
    this.#now += this.#choices.pick([0, 1, 50, 500]);
    const segment = {
      sourcePort: peerPort,
      destinationPort: pcb.LOCAL_PORT,
      seq: this.#choices.pick([0, 1000, 0xffffff00, this.#choices.u32()]),
      ack: seqAdd(pcb.ISS, 1),
      flags: FLAG.SYN | FLAG.ACK,
      win: this.#choices.pick([0, 1000, 8192, 65535]),
      urgent: 0,
      options: [],
      text: new Uint8Array(0),
    };
    const options = Uint8Array.from(
      this.#choices.pick([
        [],
        [2, 4, 2, 0],
        // MSS 1000, SACK-permitted, timestamps, window scale 3.
        [2, 4, 3, 232, 4, 2, 8, 10, 0, 0, 0, 9, ...this.#lastTimestamp, 1, 3, 3, 3],
      ]),
    );
    this.#arrive(this.#packet(peer, PROTOCOL.tcp, writeTcp(segment, peer, own(peer), options)));
    this.#turn();
  }

  #step(): void {
    const what = this.#choices.below(16);
    if (what < 8) this.#arrive(this.#segment());
    else if (what < 9) this.#arriveAgainAndAgain(this.#segment());
    else if (what < 10) this.#arrive(this.#icmp());
    else if (what < 11) this.#arrive(this.#noise());
    else if (what < 14) this.#call();
    else this.#pass();
  }

  #arrive(packet: Uint8Array): void {
    if (this.#choices.chance(12)) {
      for (const fragment of fragmentsOf(this.#choices, packet)) this.#arriveAlone(fragment);
    } else {
      this.#arriveAlone(packet);
    }
  }

  #arriveAlone(packet: Uint8Array): void {
    // Somewhere in memory, and not always the first thing there.
    const offset = this.#choices.below(4);
    const memory = new Uint8Array(offset + packet.length + 4);
    memory.set(packet, offset);
    this.#stack.arrive(memory, offset, packet.length, this.#now);
  }

  /** Duplicates, which are duplicate ACKs if they are anything. */
  #arriveAgainAndAgain(packet: Uint8Array): void {
    for (let times = 2 + this.#choices.below(4); times > 0; times--) {
      this.#arrive(packet);
      if (this.#choices.chance(128)) this.#turn();
    }
  }

  /** A connection or listener of the stack; mostly one that can carry text. */
  #pcb(): Pcb | undefined {
    const every = [...this.#stack.pcbs.values()];
    const open = every.filter(({ STATE }) => isSynchronized(STATE));
    const all = open.length > 0 && this.#choices.chance(180) ? open : every;
    return all.length === 0 ? undefined : all[this.#choices.below(Math.min(all.length, 65536))];
  }

  /** A number near one that means something to the stack. */
  #near(...numbers: number[]): number {
    const choices = this.#choices;
    if (choices.chance(8)) return choices.u32();
    const base = choices.pick(numbers);
    const jitter = choices.pick([0, 0, 0, 0, 1, -1, 2, 536, 1000, 1460, -1000, 8192, -8192, 65535]);
    return seqAdd(base, jitter);
  }

  #segment(): Uint8Array {
    const choices = this.#choices;
    const pcb = this.#pcb();
    const isOfPcb = pcb !== undefined && pcb.REMOTE_PORT !== 0 && !choices.chance(24);
    const text = new Uint8Array(
      choices.pick([0, 0, 0, 1, 10, 536, 1000, 1460, choices.below(4096)]),
    );
    const segment = {
      sourcePort: isOfPcb ? pcb.REMOTE_PORT : choices.pick(PORTS),
      destinationPort: isOfPcb ? pcb.LOCAL_PORT : choices.pick(PORTS),
      seq: isOfPcb
        ? this.#near(pcb.RCV_NXT, pcb.RCV_NXT, pcb.RCV_NXT, pcb.RCV_ADV, pcb.IRS)
        : this.#near(0, 1000, 0xffffffff),
      ack: isOfPcb
        ? this.#near(pcb.SND_NXT, pcb.SND_NXT, pcb.SND_UNA, pcb.SND_UNA, pcb.ISS, pcb.sendEndSeq)
        : choices.u32(),
      flags: choices.pick([
        FLAG.ACK,
        FLAG.ACK,
        FLAG.ACK,
        FLAG.ACK,
        FLAG.ACK | FLAG.PSH,
        FLAG.SYN,
        FLAG.SYN | FLAG.ACK,
        FLAG.FIN | FLAG.ACK,
        FLAG.ACK,
        FLAG.ACK,
        FLAG.URG | FLAG.ACK,
        choices.pick([FLAG.RST, FLAG.RST | FLAG.ACK, choices.byte(), choices.byte()]),
      ]),
      win: choices.pick([0, 1, 100, 1000, 8192, 65535, choices.below(65536)]),
      urgent: choices.chance(10) ? choices.below(65536) : 0,
      options: this.#options(isOfPcb ? pcb : undefined),
      text,
    };
    const source = isOfPcb ? addressOf(pcb) : choices.pick(this.#peers());
    const payload = writeTcp(segment, source, own(source), this.#optionBytes(segment.options));
    if (choices.chance(4)) payload[choices.below(payload.length)]! ^= 1 << choices.below(8);
    return this.#packet(source, PROTOCOL.tcp, payload);
  }

  #options(pcb: Pcb | undefined): TcpOption[] {
    const choices = this.#choices;
    const options: TcpOption[] = [];
    for (let count = choices.pick([0, 0, 0, 0, 1, 1, 2, 3, 4]); count > 0; count--) {
      const kind = choices.pick([0, 1, 2, 3, 4, 5, 8, 253, choices.byte()]);
      const usual =
        { 2: 2, 3: 1, 4: 0, 8: 8 }[kind] ?? (kind === 5 ? 8 * (1 + choices.below(4)) : 2);
      const length = choices.chance(20) ? choices.below(40) : usual;
      if (pcb !== undefined && length === usual && !choices.chance(40)) {
        if (kind === SACK) options.push({ kind, data: this.#sackBlocks(pcb, length / 4) });
        if (kind === TIMESTAMPS) options.push({ kind, data: this.#timestamps() });
      }
      options.push({ kind, data: Uint8Array.from({ length }, () => choices.byte()) });
    }
    return options;
  }

  #sackBlocks(pcb: Pcb, edges: number): Uint8Array {
    const numbers = Array.from({ length: edges }, () =>
      this.#near(pcb.SND_UNA, pcb.SND_UNA, pcb.SND_NXT),
    );
    return Uint8Array.from(numbers.flatMap(bytesOf));
  }

  #timestamps(): Uint8Array {
    const value = this.#choices.pick([this.#now, this.#now, this.#now - 1000, this.#now + 2 ** 31]);
    return Uint8Array.from([...bytesOf(value), ...this.#lastTimestamp]);
  }

  /** As they stand in the header: cut off at 40 bytes, and sometimes with a wrong length in them. */
  #optionBytes(options: readonly TcpOption[]): Uint8Array {
    const bytes = options.flatMap(({ kind, data }) =>
      kind <= 1
        ? [kind]
        : [kind, this.#choices.chance(10) ? this.#choices.byte() : data.length + 2, ...data],
    );
    while (bytes.length % 4 !== 0) bytes.push(this.#choices.below(2));
    return Uint8Array.from(bytes.slice(0, 40));
  }

  #packet(source: string, protocol: number, payload: Uint8Array): Uint8Array {
    const choices = this.#choices;
    const bytes = source.includes(':')
      ? this.#packet6(source, protocol, payload)
      : this.#packet4(source, protocol, payload);
    if (choices.chance(4)) bytes[choices.below(bytes.length)]! ^= 1 << choices.below(8);
    return choices.chance(4) ? bytes.subarray(0, choices.below(bytes.length + 1)) : bytes;
  }

  #packet6(source: string, protocol: number, payload: Uint8Array): Uint8Array {
    const choices = this.#choices;
    const isOdd = choices.chance(6);
    return writeIpv6({
      source: isOdd ? choices.pick(['::', '::1', 'ff02::1', '::ffff:0a07:1', STACK6]) : source,
      destination: choices.chance(4) ? choices.pick(['ff02::1', '::', 'fd00:7::3']) : STACK6,
      extensions: choices.chance(40) ? extensions(choices) : [],
      protocol,
      payload,
    });
  }

  #packet4(source: string, protocol: number, payload: Uint8Array): Uint8Array {
    const choices = this.#choices;
    const isOdd = choices.chance(6);
    return writeIp({
      source: isOdd
        ? choices.pick(['0.0.0.0', '127.0.0.1', '224.0.0.1', '10.7.0.255', STACK])
        : source,
      destination: choices.chance(4)
        ? choices.pick(['10.7.0.255', '224.0.0.1', '10.7.0.3'])
        : STACK,
      protocol,
      tos: choices.chance(20) ? choices.byte() : 0,
      ttl: 64,
      dontFragment: true,
      moreFragments: choices.chance(4),
      options: new Uint8Array(choices.chance(8) ? 4 * choices.below(11) : 0),
      payload,
    });
  }

  #icmp(): Uint8Array {
    const choices = this.#choices;
    const pcb = this.#pcb();
    const quoted =
      pcb === undefined || choices.chance(30)
        ? Uint8Array.from({ length: choices.below(60) }, () => choices.byte())
        : this.#quoted(pcb);
    const source = choices.pick(this.#peers());
    const is6 = source.includes(':');
    const type = choices.pick(
      is6
        ? [1, 1, 2, 2, 3, 4, 128, 128, 129, 135, 137, choices.byte()]
        : [3, 3, 3, 3, 0, 4, 5, 8, 8, 11, 12, choices.byte()],
    );
    const rest = choices.pick([0, 68, 576, 1000, 1279, 1280, 1400, choices.u32()]);
    const isEcho = type === (is6 ? 128 : 8);
    const length = choices.pick([0, 1, 100, 1400, 3000, choices.below(20_000)]);
    const carried = isEcho ? new Uint8Array(length) : quoted;
    const pseudoHeader = is6
      ? pseudoHeader6(source, STACK6, NEXT_HEADER.icmp, 8 + carried.length)
      : new Uint8Array(0);
    const icmp = { type, code: choices.below(18), rest, payload: carried };
    return this.#packet(
      source,
      is6 ? NEXT_HEADER.icmp : PROTOCOL.icmp,
      writeIcmp(icmp, pseudoHeader),
    );
  }

  /** Those of one version, if the stack speaks it. */
  #peers(): readonly [string, ...string[]] {
    return this.#mtu >= 1280 && this.#choices.chance(128) ? PEERS6 : PEERS;
  }

  #quoted(pcb: Pcb): Uint8Array {
    const choices = this.#choices;
    const remote = addressOf(pcb);
    const tcp = {
      sourcePort: pcb.LOCAL_PORT,
      destinationPort: pcb.REMOTE_PORT,
      seq: this.#near(pcb.SND_UNA, pcb.SND_NXT),
      ack: pcb.RCV_NXT,
      flags: FLAG.ACK,
      win: 0,
      urgent: 0,
      options: [],
      text: new Uint8Array(0),
    };
    const local = own(remote);
    const payload = writeTcp(tcp, local, remote);
    if (remote.includes(':')) {
      const whole = writeIpv6({
        source: local,
        destination: remote,
        extensions: choices.chance(40) ? extensions(choices) : [],
        protocol: PROTOCOL.tcp,
        payload,
      });
      return whole.subarray(0, choices.pick([48, 48, 60, choices.below(61)]));
    }
    const whole = writeIp({
      source: local,
      destination: remote,
      protocol: PROTOCOL.tcp,
      tos: 0,
      ttl: 1,
      dontFragment: true,
      moreFragments: false,
      options: new Uint8Array(0),
      payload,
    });
    return whole.subarray(0, choices.pick([28, 28, 40, choices.below(41)]));
  }

  #noise(): Uint8Array {
    const choices = this.#choices;
    const bytes = Uint8Array.from({ length: choices.below(120) }, () => choices.byte());
    if (choices.chance(200) && bytes.length > 0)
      bytes[0] = choices.pick([0x45, 0x46, 0x4f, 0x60, 0x40]);
    return choices.chance(128)
      ? bytes
      : this.#packet(choices.pick(this.#peers()), choices.byte(), bytes);
  }

  #call(): void {
    try {
      this.#userCall();
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
    }
  }

  #userCall(): void {
    const choices = this.#choices;
    const stack = this.#stack;
    const what = choices.below(13);
    const pcb = this.#pcb();
    if (pcb === undefined || what === 0) {
      const listener = stack.create();
      stack.bind(listener, { address: choices.pick(['::', '0.0.0.0']), port: choices.pick(PORTS) });
      stack.listen(listener, choices.below(8));
      return;
    }
    switch (what) {
      case 1:
        if (stack.pcbs.size < MOST_PCBS / 2) {
          stack.connect(
            stack.create(),
            { address: choices.pick([...this.#peers(), STACK, STACK6]), port: choices.pick(PORTS) },
            this.#now,
          );
        }
        break;
      case 2:
        stack.connect(
          pcb,
          { address: choices.pick(this.#peers()), port: choices.pick(PORTS) },
          this.#now,
        );
        break;
      case 3:
        stack.accept(pcb);
        break;
      case 4:
      case 5:
      case 6:
        stack.send(
          pcb,
          new Uint8Array(choices.pick([1, 10, 1000, BUFFER, choices.below(BUFFER)])),
          this.#now,
        );
        break;
      case 7:
      case 8:
        stack.receive(
          pcb,
          new Uint8Array(choices.pick([0, 1, 100, BUFFER, choices.below(BUFFER)])),
          this.#now,
        );
        break;
      case 9:
        stack.shutdown(pcb, this.#now);
        break;
      case 10:
        if (choices.chance(100)) stack.close(pcb, this.#now);
        break;
      case 11:
        if (choices.chance(64)) stack.abort(pcb, this.#now);
        break;
      case 12:
        if (choices.chance(128)) pcb.NODELAY = choices.below(2);
        else pcb.KEEPALIVE = choices.below(2);
        break;
    }
  }

  /** Time goes by: a little, to the next timer, or so much that the stack has to give up. */
  #pass(): void {
    const choices = this.#choices;
    const { deadline } = this.#stack;
    const untilTimer = deadline === Infinity ? 1 : Math.max(0, deadline - this.#now);
    this.#now += choices.pick([
      0,
      1,
      1,
      10,
      10,
      39,
      40,
      40,
      200,
      200,
      untilTimer,
      untilTimer,
      untilTimer,
      untilTimer,
      untilTimer + 1000,
      choices.pick([61_000, DEFAULT_KEEPALIVE_IDLE]),
    ]);
  }

  #turn(): void {
    this.#packets = 0;
    this.#timeoutsNow = 0;
    do {
      this.#stack.tick(this.#now);
      this.#egress.room = this.#choices.chance(16) ? 1 : Infinity;
      while (!this.#stack.transmit(this.#now, this.#egress)) this.#egress.room = Infinity;
      this.#stack.takeChanged();
      this.#stack.takeDirty();
      this.#stack.takeRemoved();
      if (++this.#timeoutsNow > MOST_TIMEOUTS_AT_ONCE) throw new Finding('timeouts without end');
    } while (this.#stack.deadline <= this.#now);
  }

  /** What a segment offers is the edge that the stack remembers, but for rounding to units of the window scale. */
  #checkOffer(destination: string, tcp: Tcp): void {
    if ((tcp.flags & (FLAG.ACK | FLAG.RST | FLAG.SYN)) !== FLAG.ACK) return;
    for (const pcb of this.#stack.pcbs.values()) {
      const { LOCAL_PORT, REMOTE_PORT, RCV_WSCALE, RCV_ADV } = pcb;
      if (LOCAL_PORT !== tcp.sourcePort || REMOTE_PORT !== tcp.destinationPort) continue;
      if (pcb.remote!.address !== destination || !isSynchronized(pcb.STATE)) continue;
      const unit = 2 ** RCV_WSCALE;
      const hidden = seqSub(RCV_ADV, seqAdd(tcp.ack, tcp.win * unit));
      if (hidden < 0 || hidden >= unit) throw new Finding(`a window ${hidden} short of its edge`);
    }
  }

  #readIcmp(source: string, destination: string, payload: Uint8Array): void {
    if (source === STACK) readIcmp(payload);
    else readIcmp(payload, pseudoHeader6(source, destination, NEXT_HEADER.icmp, payload.length));
  }

  #leaves(bytes: Uint8Array): void {
    if (++this.#packets > MOST_PACKETS_AT_ONCE) throw new Finding('packets without end');
    try {
      if (bytes.length > this.#mtu) throw new Finding('a packet longer than the MTU');
      const ip = readAnyIp(bytes);
      const { source, destination, protocol, payload } = ip;
      if (source !== STACK && source !== STACK6) throw new Finding(`a packet from ${source}`);
      if (protocol === PROTOCOL.tcp) {
        if (ip.isFragment) throw new Finding('a fragment of a segment');
        const tcp = readTcp(payload, source, destination);
        this.#checkOffer(destination, tcp);
        const timestamps = tcp.options.find(({ kind }) => kind === TIMESTAMPS);
        if (timestamps !== undefined) this.#lastTimestamp = [...timestamps.data.subarray(0, 4)];
      } else if (protocol === (source === STACK ? PROTOCOL.icmp : NEXT_HEADER.icmp)) {
        if (!ip.isFragment) this.#readIcmp(source, destination, payload);
      } else throw new Finding(`a packet of protocol ${protocol}`);
    } catch (error) {
      if (error instanceof MalformedPacket) throw new Finding(`malformed: ${error.message}`);
      throw error;
    }
  }
}

/** The stack's address of the version that `peer` is of. */
function own(peer: string): string {
  return peer.includes(':') ? STACK6 : STACK;
}

/** A packet of either version, its addresses as the stack writes them. */
function readAnyIp(bytes: Uint8Array): Ipv6Read {
  if (bytes[0]! >>> 4 === 4) {
    const ip = readIp(bytes);
    const isFragment = ip.moreFragments || (bytes[6]! & 0x1f) !== 0 || bytes[7] !== 0;
    return { ...ip, isFragment };
  }
  const ip = readIpv6(bytes);
  return { ...ip, source: canonical(ip.source), destination: canonical(ip.destination) };
}

function canonical(address: string): string {
  return formatAddress(parseAddress(address)!);
}

function bytesOf(n: number): number[] {
  return [24, 16, 8, 0].map((shift) => (n >>> shift) & 255);
}

function addressOf(pcb: Pcb): string {
  return pcb.remote?.address ?? PEERS[0];
}

const MOST_STEPS = 200;

/**
 * A whole life of a stack, as `bytes` say.
 * @returns how many segments, calls and pauses it had
 */
export function fuzzWholeStack(bytes: Uint8Array): number {
  const session = new Session(bytes);
  session.run(MOST_STEPS);
  return session.steps;
}
