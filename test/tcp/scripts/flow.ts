import { seqAdd, seqSub } from '../../../tcp/sequence.ts';
import { findOption, fits, formatFlags, type SegmentNotation, type Sequence } from './notation.ts';
import {
  FLAG,
  type Ip,
  MalformedPacket,
  PROTOCOL,
  readIp,
  readTcp,
  type Tcp,
  type TcpOption,
  writeIp,
  writeOptions,
  writeTcp,
} from './packet.ts';

export const STACK_ADDRESS = '10.7.0.2';
export const PEER_ADDRESS = '10.7.0.1';

const DEFAULT_WINDOW = 65535;
/** What a segment may carry beside what the script says: they are hints, or negotiated where a script is about them. */
const UNIMPORTANT_FLAGS = FLAG.PSH | FLAG.ECE | FLAG.CWR;

/** One connection between the peer that the script plays and the stack: turns notation into packets and back. */
export class Flow {
  readonly name: string;
  readonly peerPort: number;
  readonly #peerIsn: number;
  stackPort: number;
  /** The stack's initial sequence number, once it has sent a SYN. */
  #stackIsn: number | undefined;
  /** One past the highest number it has sent since. */
  #highest = 0;
  /** The TSval of its SYN. */
  #firstTimestamp: number | undefined;
  /** The largest ACK + window that the stack has offered, and by how many bits its window field is shifted. */
  #edge: number | undefined;
  #stackScale: number | undefined;
  #peerScaled = false;
  /** How many bytes of the stack's stream the script has queued, and of the peer's it has read. */
  queued = 0;
  #read = 0;

  constructor(name: string, peerPort: number, stackPort: number, peerIsn: number) {
    this.name = name;
    this.peerPort = peerPort;
    this.stackPort = stackPort;
    this.#peerIsn = peerIsn >>> 0;
  }

  // Text. Each side's stream has its own pattern, so that every byte is known by its place.

  stackText(offset: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => patternAt(offset + i, 7));
  }

  peerText(offset: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => patternAt(offset + i, 13));
  }

  checkReceived(bytes: Uint8Array): void {
    bytes.forEach((byte, i) => {
      if (byte !== patternAt(this.#read + i, 13)) {
        throw new MalformedPacket(`byte ${this.#read + i} is not the one that the peer sent`);
      }
    });
    this.#read += bytes.length;
  }

  // Arriving.

  /** The packet that a `<` line stands for. */
  packet(segment: SegmentNotation): Uint8Array {
    const { flags, faults } = segment;
    const source = segment.source ?? PEER_ADDRESS;
    const destination = segment.destination ?? STACK_ADDRESS;
    const tcp: Tcp = {
      sourcePort: this.peerPort,
      destinationPort: this.stackPort,
      seq: this.#absolute(segment.seq, this.#peerIsn),
      ack: segment.ack === undefined ? 0 : this.#absolute(segment.ack, this.#stackIsn),
      flags,
      win: segment.win?.low ?? DEFAULT_WINDOW,
      urgent: segment.urgent?.low ?? 0,
      options: [],
      text: this.peerText(segment.seq.value - (flags & FLAG.SYN ? 0 : 1), segment.length),
    };
    const options = segment.rawOptions ?? writeOptions(this.#optionsOf(segment));
    if (flags & FLAG.SYN && segment.wscale !== undefined) this.#peerScaled = true;
    const payload = writeTcp(tcp, source, destination, options);
    if (faults.has('bad-checksum')) payload[17]! ^= 0x5a;
    const bytes = writeIp({
      source,
      destination,
      protocol: PROTOCOL.tcp,
      tos: segment.tos?.low ?? 0,
      ttl: segment.ttl?.low ?? 64,
      dontFragment: true,
      moreFragments: faults.has('more-fragments'),
      options: segment.ipOptions ?? new Uint8Array(0),
      payload,
    });
    if (faults.has('bad-ip-checksum')) bytes[11]! ^= 0x5a;
    return faults.has('short') ? bytes.subarray(0, bytes.length - 1) : bytes;
  }

  #optionsOf(segment: SegmentNotation): TcpOption[] {
    const options: TcpOption[] = [];
    const { mss, wscale, timestamp, sack } = segment;
    if (mss !== undefined) options.push({ kind: 2, data: u16(mss.low) });
    if (segment.sackPermitted) options.push({ kind: 4, data: new Uint8Array(0) });
    if (timestamp !== undefined) {
      const echo = seqAdd(timestamp.echo.low, this.#firstTimestamp ?? 0);
      options.push({ kind: 8, data: u32(timestamp.value.low, echo) });
    }
    if (wscale !== undefined) options.push({ kind: 3, data: Uint8Array.of(wscale.low) });
    if (sack !== undefined) {
      const edges = sack.flatMap(({ left, right }) => [left, right]);
      const isn = this.#stackIsn ?? 0;
      options.push({ kind: 5, data: u32(...edges.map((edge) => seqAdd(edge, isn))) });
    }
    return options;
  }

  /** What an ICMP error quotes of the stack's segment at `seq`: its first `length` bytes. */
  quoted(seq: number, length: number): Uint8Array {
    const tcp: Tcp = {
      sourcePort: this.stackPort,
      destinationPort: this.peerPort,
      seq: seqAdd(seq, this.#stackIsn ?? 0),
      ack: 0,
      flags: FLAG.ACK,
      win: 0,
      urgent: 0,
      options: [],
      text: new Uint8Array(0),
    };
    return writeIp({
      source: STACK_ADDRESS,
      destination: PEER_ADDRESS,
      protocol: PROTOCOL.tcp,
      tos: 0,
      ttl: 1,
      dontFragment: true,
      moreFragments: false,
      options: new Uint8Array(0),
      payload: writeTcp(tcp, STACK_ADDRESS, PEER_ADDRESS),
    }).subarray(0, length);
  }

  // Leaving.

  /** A packet has left the stack: whatever the script says of it, some things always hold. */
  leaves(ip: Ip, tcp: Tcp): void {
    if (ip.destination !== PEER_ADDRESS)
      throw new MalformedPacket(`a segment to ${ip.destination}`);
    if (tcp.flags & FLAG.SYN) this.#synLeaves(tcp);
    else if (findOption(tcp.options, 'mss') !== undefined) {
      throw new MalformedPacket('an MSS option in a segment without SYN (MUST-65)');
    }
    this.#checkEdge(tcp);
    this.#checkText(tcp);
    const controls = (tcp.flags & FLAG.SYN ? 1 : 0) + (tcp.flags & FLAG.FIN ? 1 : 0);
    const end = seqAdd(tcp.seq, tcp.text.length + controls);
    if (!(tcp.flags & FLAG.RST) && seqSub(end, this.#highest) > 0) this.#highest = end;
  }

  #synLeaves(tcp: Tcp): void {
    this.stackPort = tcp.sourcePort;
    if (this.#stackIsn !== undefined && this.#stackIsn !== tcp.seq) {
      // Another incarnation.
      if (seqSub(tcp.seq, this.#highest) <= 0) {
        throw new MalformedPacket(
          'the initial sequence number is one that was used before (MUST-8)',
        );
      }
      this.#edge = undefined;
      this.#firstTimestamp = undefined;
      this.queued = 0;
      this.#read = 0;
    }
    if (this.#stackIsn !== tcp.seq) this.#highest = tcp.seq;
    this.#stackIsn = tcp.seq;
    this.#stackScale = findOption(tcp.options, 'wscale')?.[0];
    const timestamps = findOption(tcp.options, 'ts');
    if (timestamps !== undefined) this.#firstTimestamp ??= readU32(timestamps, 0);
  }

  /**
   * SHLD-14: the right edge of the window stays or moves right; rounding to units may hide less than one, and a SYN that goes out
   * again can say less than has been said behind it.
   */
  #checkEdge(tcp: Tcp): void {
    if (!(tcp.flags & FLAG.ACK) || tcp.flags & FLAG.RST) return;
    if (tcp.flags & FLAG.SYN && this.#edge !== undefined) return;
    const isScaled = this.#peerScaled && this.#stackScale !== undefined && !(tcp.flags & FLAG.SYN);
    const unit = isScaled ? 2 ** this.#stackScale! : 1;
    const edge = seqAdd(tcp.ack, tcp.win * unit);
    if (this.#edge !== undefined && seqSub(this.#edge, edge) >= unit) {
      throw new MalformedPacket(`the window shrinks by ${seqSub(this.#edge, edge)} (SHLD-14)`);
    }
    if (this.#edge === undefined || seqSub(edge, this.#edge) > 0) this.#edge = edge;
  }

  #checkText(tcp: Tcp): void {
    if (tcp.text.length === 0) return;
    const offset = seqSub(tcp.seq, this.#stackIsn ?? 0) - (tcp.flags & FLAG.SYN ? 0 : 1);
    tcp.text.forEach((byte, i) => {
      if (byte !== patternAt(offset + i, 7)) {
        throw new MalformedPacket(`byte ${offset + i} is not the one that the user sent`);
      }
    });
  }

  /** Why the packet is not the one described; undefined: it is. */
  mismatch(expected: SegmentNotation, bytes: Uint8Array): string | undefined {
    const ip = readIp(bytes);
    if (ip.protocol !== PROTOCOL.tcp) return 'is not TCP';
    const tcp = readTcp(ip.payload, ip.source, ip.destination);
    if (tcp.destinationPort !== this.peerPort) return `is not of connection ${this.name}`;
    const unexpected = tcp.flags & ~expected.flags & ~UNIMPORTANT_FLAGS;
    const missing = expected.flags & ~tcp.flags;
    if (unexpected | missing | (tcp.flags & expected.absentFlags)) {
      return `the flags are not ${formatFlags(expected.flags)}`;
    }
    if (tcp.seq !== this.#absolute(expected.seq, this.#stackIsn)) {
      return `the sequence number is not ${expected.seq.value}`;
    }
    if (tcp.text.length !== expected.length)
      return `the text has ${tcp.text.length} bytes and not ${expected.length}`;
    if (expected.ack !== undefined && tcp.ack !== this.#absolute(expected.ack, this.#peerIsn)) {
      return `it does not acknowledge ${expected.ack.value}`;
    }
    const { win, urgent, tos, ttl } = expected;
    if (win !== undefined && !fits(win, tcp.win)) return 'another window was expected';
    if (urgent !== undefined && !fits(urgent, tcp.urgent))
      return `the urgent pointer is ${tcp.urgent}`;
    if (tos !== undefined && !fits(tos, ip.tos)) return `the type of service is ${ip.tos}`;
    if (ttl !== undefined && !fits(ttl, ip.ttl)) return `the time to live is ${ip.ttl}`;
    return this.#optionsMismatch(expected, tcp);
  }

  #optionsMismatch(expected: SegmentNotation, tcp: Tcp): string | undefined {
    for (const name of expected.absentOptions) {
      if (findOption(tcp.options, name) !== undefined) return `it has the option ${name}`;
    }
    const mss = findOption(tcp.options, 'mss');
    if (expected.mss !== undefined && !(mss && fits(expected.mss, mss[0]! * 256 + mss[1]!))) {
      return 'another MSS option was expected';
    }
    const wscale = findOption(tcp.options, 'wscale');
    if (expected.wscale !== undefined && !(wscale && fits(expected.wscale, wscale[0]!))) {
      return 'another window scale option was expected';
    }
    const uto = findOption(tcp.options, 'uto');
    if (expected.uto !== undefined && !(uto && fits(expected.uto, secondsOf(uto)))) {
      return 'another user timeout was expected';
    }
    if (expected.sackPermitted && findOption(tcp.options, 'sack-ok') === undefined) {
      return 'SACK-permitted was expected';
    }
    if (expected.sack !== undefined) {
      const wanted = expected.sack.map(({ left, right }) => `${left}:${right}`).join(',');
      if (this.#describeSack(tcp) !== wanted) return `the SACK blocks are not ${wanted}`;
    }
    if (expected.timestamp !== undefined) {
      const data = findOption(tcp.options, 'ts');
      if (data === undefined) return 'timestamps were expected';
      const value = seqSub(readU32(data, 0), this.#firstTimestamp ?? 0);
      if (!fits(expected.timestamp.value, value)) return `TSval is ${value}`;
      const echo = readU32(data, 4);
      if (!fits(expected.timestamp.echo, echo)) return `TSecr is ${echo}`;
    }
    return undefined;
  }

  #describeSack(tcp: Tcp): string {
    const data = findOption(tcp.options, 'sack') ?? new Uint8Array(0);
    const blocks = [];
    for (let at = 0; at < data.length; at += 8) {
      const edges = [readU32(data, at), readU32(data, at + 4)];
      blocks.push(edges.map((edge) => seqSub(edge, this.#peerIsn)).join(':'));
    }
    return blocks.join(',');
  }

  #absolute(sequence: Sequence, isn: number | undefined): number {
    if (sequence.isAbsolute) return sequence.value >>> 0;
    if (isn === undefined)
      throw new Error('the stack has sent no SYN: write =N for a number of the header');
    return seqAdd(sequence.value, isn);
  }

  // Words for people.

  describe(ip: Ip, tcp: Tcp): string {
    return this.#describe(ip, tcp, this.#stackIsn, this.#peerIsn, this.#firstTimestamp, 0);
  }

  describeArriving(bytes: Uint8Array): string {
    try {
      const ip = readIp(bytes);
      const tcp = readTcp(ip.payload, ip.source, ip.destination);
      return this.#describe(ip, tcp, this.#peerIsn, this.#stackIsn, 0, this.#firstTimestamp);
    } catch (error) {
      if (error instanceof MalformedPacket) return `a packet without: ${error.message}`;
      throw error;
    }
  }

  #describe(
    ip: Ip,
    tcp: Tcp,
    own: number | undefined,
    other: number | undefined,
    clock: number | undefined,
    otherClock: number | undefined,
  ): string {
    const relative = (n: number, isn: number | undefined) =>
      isn === undefined ? `=${n}` : String(seqSub(n, isn));
    const seq = relative(tcp.seq, tcp.flags & FLAG.RST && tcp.seq === 0 ? undefined : own);
    const end = tcp.text.length === 0 ? '' : `:${seqSub(tcp.seq, own ?? 0) + tcp.text.length}`;
    const words = [formatFlags(tcp.flags), seq + end];
    if (tcp.flags & FLAG.ACK) words.push('ack', relative(tcp.ack, other));
    words.push('win', String(tcp.win));
    if (tcp.flags & FLAG.URG) words.push('urgent', String(tcp.urgent));
    for (const { kind, data } of tcp.options) {
      if (kind === 2) words.push('mss', String(data[0]! * 256 + data[1]!));
      else if (kind === 3) words.push('wscale', String(data[0]));
      else if (kind === 4) words.push('sack-ok');
      else if (kind === 8) {
        words.push(
          'ts',
          `${seqSub(readU32(data, 0), clock ?? 0)}:${seqSub(readU32(data, 4), otherClock ?? 0)}`,
        );
      } else if (kind === 5) {
        const edges = [];
        for (let at = 0; at < data.length; at += 4) edges.push(relative(readU32(data, at), other));
        words.push('sack', edges.join(' '));
      } else words.push(`option-${kind}`);
    }
    if (ip.tos !== 0) words.push('tos', String(ip.tos));
    return words.join(' ');
  }
}

function patternAt(offset: number, step: number): number {
  return (offset * step + (offset >>> 8)) & 255;
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 255);
}

function u32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(4 * i, value >>> 0);
  });
  return bytes;
}

function readU32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

/** What a user timeout option says (RFC 5482 section 2), seconds. */
function secondsOf(uto: Uint8Array): number {
  const field = uto[0]! * 256 + uto[1]!;
  return (field & 0x7fff) * (field & 0x8000 ? 60 : 1);
}
