import { errnoName } from '../../../tcp/errno.ts';
import type { Pcb } from '../../../tcp/pcb.ts';
import { Stack, type StackOptions } from '../../../tcp/stack.ts';
import { TcpError } from '../../../tcp/tcp-error.ts';
import { seeded } from '../../seeded.ts';
import { Capture } from '../wire-pair.ts';
import { Flow, PEER_ADDRESS, STACK_ADDRESS } from './flow.ts';
import { cut, type FragmentNotation, parseFragments } from './fragments.ts';
import { fits, number, parseNumberPattern, parseSegment } from './notation.ts';
import { type Icmp, PROTOCOL, readIcmp, readIp, readTcp, writeIcmp, writeIp } from './packet.ts';
import { FIRST_FLOW, type Line, type Script } from './script.ts';

/** What a script says and what the stack did are not the same. */
export class Mismatch extends Error {
  override name = 'Mismatch';
}

/** A packet that the stack has sent and no line has asked for yet. */
interface Sent {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

const START = 100_000;
const FIRST_PEER_PORT = 1000;
const SERVICE = 80;
/** More timeouts than this at one instant: the stack is going round in circles. */
const MOST_TIMEOUTS_AT_ONCE = 1000;

/** Runs one script on a stack of its own and on virtual time. */
export class Runner {
  readonly #script: Script;
  readonly #stack: Stack;
  readonly #flows = new Map<string, Flow>();
  readonly #pcbs = new Map<string, { pcb: Pcb; id: number }>();
  #now = START;
  /** When the line before was. */
  #lastLine = START;
  #sent: Sent[] = [];
  readonly #trace: string[] = [];
  readonly #egress = new Capture((bytes) => this.#leaves(bytes));

  constructor(script: Script) {
    this.#script = script;
    const numbers = Object.fromEntries(
      [...script.stack].map(([name, value]) => [
        name,
        Number.isNaN(Number(value)) ? value : Number(value),
      ]),
    );
    const random = seeded(1);
    this.#stack = new Stack({
      address: STACK_ADDRESS,
      prefix: 24,
      mtu: 1500,
      secret: Uint8Array.from({ length: 16 }, (_, i) => i * 11),
      entropy: () => random(2 ** 32),
      now: this.#now,
      ...(numbers as Partial<StackOptions>),
    });
  }

  /** @throws Mismatch at the first line that does not hold */
  run(): void {
    for (const line of this.#script.lines) {
      try {
        this.#perform(line);
      } catch (error) {
        throw this.#explained(line, error);
      }
    }
    const last = this.#script.lines.at(-1)!;
    try {
      this.#turn();
      this.#expectSilence('after the last line');
    } catch (error) {
      throw this.#explained(last, error);
    }
  }

  #perform(line: Line): void {
    const [from, to] = line.after;
    if (line.verb === '>') {
      this.#expect(line, this.#lastLine + from, this.#lastLine + to);
      return;
    }
    if (line.verb === 'skip') {
      this.#advance(this.#lastLine + to);
      this.#sent = [];
    } else {
      this.#advance(this.#lastLine + to, true);
      this.#expectSilence('before this line');
      if (line.verb === '<') this.#inject(line);
      else this.#call(line);
      this.#turn();
    }
    this.#lastLine = this.#now;
  }

  // Time.

  /** Lets time pass up to `to`. */
  #advance(to: number, isSilent = false): void {
    this.#turn();
    while (this.#stack.deadline <= to && !(isSilent && this.#sent.length > 0)) this.#nextTimeout();
    this.#now = Math.max(this.#now, to);
  }

  #timeoutsNow = 0;

  #nextTimeout(): void {
    const { deadline } = this.#stack;
    this.#timeoutsNow = deadline > this.#now ? 0 : this.#timeoutsNow + 1;
    if (this.#timeoutsNow > MOST_TIMEOUTS_AT_ONCE) throw new Mismatch('timeouts without end');
    this.#now = Math.max(this.#now, deadline);
    this.#turn();
  }

  /** What an engine does in a turn. */
  #turn(): void {
    this.#stack.tick(this.#now);
    while (!this.#stack.transmit(this.#now, this.#egress)) this.#egress.room = Infinity;
    this.#stack.takeChanged();
    this.#stack.takeDirty();
    this.#stack.takeRemoved();
  }

  // Segments.

  #flow(name: string): Flow {
    let flow = this.#flows.get(name);
    if (flow === undefined) {
      const port = FIRST_PEER_PORT + name.charCodeAt(0) - FIRST_FLOW.charCodeAt(0);
      flow = new Flow(name, port, SERVICE, this.#script.peerIsn);
      this.#flows.set(name, flow);
    }
    return flow;
  }

  #leaves(bytes: Uint8Array): void {
    const text = this.#describe(bytes);
    this.#sent.push({ at: this.#now, bytes, text });
    this.#note('>', text);
  }

  #describe(bytes: Uint8Array): string {
    const ip = readIp(bytes);
    if (ip.source !== STACK_ADDRESS) throw new Mismatch(`a packet from ${ip.source}`);
    if (ip.protocol === PROTOCOL.icmp) return describeIcmp(readIcmp(ip.payload));
    const tcp = readTcp(ip.payload, ip.source, ip.destination);
    const flow = [...this.#flows.values()].find(({ peerPort }) => peerPort === tcp.destinationPort);
    if (flow === undefined) throw new Mismatch(`a segment to port ${tcp.destinationPort}`);
    flow.leaves(ip, tcp);
    return `${flow.name === FIRST_FLOW ? '' : `${flow.name}: `}${flow.describe(ip, tcp)}`;
  }

  #expect(line: Line, from: number, to: number): void {
    this.#turn();
    while (this.#sent.length === 0 && this.#stack.deadline <= to) this.#nextTimeout();
    const expected = line.words[0] === 'icmp' ? undefined : parseSegment(line.words);
    const parts = expected === undefined ? [undefined] : split(expected);
    for (const part of parts) {
      const sent = this.#sent.shift();
      if (sent === undefined) {
        this.#now = Math.max(this.#now, to);
        throw new Mismatch('nothing came');
      }
      if (sent.at < from || sent.at > to) {
        throw new Mismatch(
          `${sent.text}\n  came at ${sent.at - START} ms and not at ${span(from - START, to - START)} ms`,
        );
      }
      const reason =
        part === undefined
          ? matchIcmp(line.words, sent.bytes)
          : this.#flow(line.flow).mismatch(part, sent.bytes);
      if (reason !== undefined) throw new Mismatch(`${sent.text}\n  ${reason}`);
      this.#lastLine = sent.at;
    }
  }

  #expectSilence(when: string): void {
    const [first] = this.#sent;
    if (first === undefined) return;
    throw new Mismatch(
      `${first.text}\n  left at ${first.at - START} ms, ${when}, and nobody asked for it`,
    );
  }

  #inject(line: Line): void {
    const flow = this.#flow(line.flow);
    if (line.words[0] === 'icmp' || line.words[0] === 'ip') {
      const bytes =
        line.words[0] === 'icmp' ? icmpPacket(flow, line.words) : otherPacket(line.words);
      this.#note('<', line.words.join(' '));
      const at = line.words.indexOf('fragments');
      this.#arrive(bytes, at < 0 ? undefined : parseFragments(line.words[at + 1]!));
      return;
    }
    for (const part of split(parseSegment(line.words))) {
      const bytes = flow.packet(part);
      this.#note('<', flow.describeArriving(bytes));
      this.#arrive(bytes, part.fragments);
    }
  }

  #arrive(packet: Uint8Array, fragments: readonly FragmentNotation[] | undefined): void {
    for (const bytes of fragments === undefined ? [packet] : cut(packet, fragments)) {
      this.#stack.arrive(bytes, 0, bytes.length, this.#now);
    }
  }

  // Calls and checks.

  #pcb(flow: string): Pcb {
    const known = this.#pcbs.get(flow);
    if (known !== undefined) return known.pcb;
    const { peerPort } = this.#flow(flow);
    const pcb = [...this.#stack.pcbs.values()].find(({ REMOTE_PORT }) => REMOTE_PORT === peerPort);
    if (pcb === undefined) throw new Mismatch(`there is no connection ${flow}`);
    this.#pcbs.set(flow, { pcb, id: pcb.ID });
    return pcb;
  }

  #know(flow: string, pcb: Pcb): void {
    this.#pcbs.set(flow, { pcb, id: pcb.ID });
  }

  #call(line: Line): void {
    const { verb, flow } = line;
    const arrow = line.words.indexOf('->');
    const words = arrow < 0 ? line.words : line.words.slice(0, arrow);
    const wanted = arrow < 0 ? undefined : line.words.slice(arrow + 1).join(' ');
    const check = this.#check(verb, flow, words);
    if (check) return;
    let result: string;
    try {
      result = this.#userCall(verb, flow, words);
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      result = error.errno;
    }
    this.#note('|', `${line.text} = ${result}`);
    const expected = wanted ?? DEFAULT_RESULT[verb]?.(words) ?? 'ok';
    if (result !== expected) throw new Mismatch(`${verb} gave ${result} and not ${expected}`);
  }

  #userCall(verb: string, flow: string, words: readonly string[]): string {
    const stack = this.#stack;
    const now = this.#now;
    switch (verb) {
      case 'listen': {
        const listener = this.#pcbs.get('listener')?.pcb ?? stack.create();
        if (listener.LOCAL_PORT === 0) stack.bind(listener, { address: '0.0.0.0', port: SERVICE });
        this.#know('listener', listener);
        stack.listen(listener, number(words[0] ?? '8'));
        return 'ok';
      }
      case 'bind': {
        const pcb = this.#pcbs.get(flow)?.pcb ?? stack.create();
        this.#know(flow, pcb);
        stack.bind(pcb, { address: words[1] ?? '0.0.0.0', port: number(words[0]!) });
        return 'ok';
      }
      case 'connect': {
        const pcb = this.#pcbs.get(flow)?.pcb ?? stack.create();
        this.#know(flow, pcb);
        const flowOf = this.#flow(flow);
        const port = words[1] === undefined ? flowOf.peerPort : number(words[1]);
        stack.connect(pcb, { address: words[0] ?? PEER_ADDRESS, port }, now);
        flowOf.stackPort = pcb.LOCAL_PORT;
        return 'ok';
      }
      case 'accept': {
        const pcb = stack.accept(this.#pcb('listener'));
        if (pcb === undefined) return 'nothing';
        const of = [...this.#flows.values()].find(({ peerPort }) => peerPort === pcb.REMOTE_PORT)!;
        this.#know(of.name, pcb);
        return of.name;
      }
      case 'send': {
        const pcb = this.#pcb(flow);
        const from = this.#flow(flow).queued;
        const taken = stack.send(pcb, this.#flow(flow).stackText(from, number(words[0]!)), now);
        this.#flow(flow).queued += taken;
        return String(taken);
      }
      case 'receive': {
        const pcb = this.#pcb(flow);
        const target = new Uint8Array(number(words[0]!));
        const count = stack.receive(pcb, target, now);
        this.#flow(flow).checkReceived(target.subarray(0, count));
        return count === 0 && pcb.atEnd ? 'end' : String(count);
      }
      case 'shutdown':
        stack.shutdown(this.#pcb(flow), now);
        return 'ok';
      case 'close':
        stack.close(this.#pcb(flow), now);
        return 'ok';
      case 'abort':
        stack.abort(this.#pcb(flow), now);
        return 'ok';
      case 'set': {
        const pcb = this.#pcb(flow) as unknown as Record<string, number>;
        if (!(words[0]! in pcb)) throw new Mismatch(`a PCB has no field ${words[0]}`);
        pcb[words[0]!] = number(words[1]!);
        return 'ok';
      }
      default:
        throw new Mismatch(`no call or check: ${verb}`);
    }
  }

  /** @returns whether `verb` is a check */
  #check(verb: string, flow: string, words: readonly string[]): boolean {
    const [first = ''] = words;
    switch (verb) {
      case 'nothing':
        return true;
      case 'state':
        this.#compare('state', this.#pcb(flow).state, first);
        return true;
      case 'error': {
        const { ERROR } = this.#pcb(flow);
        this.#compare('error', ERROR === 0 ? 'none' : (errnoName(ERROR) ?? String(ERROR)), first);
        return true;
      }
      case 'gone': {
        const known = this.#pcbs.get(flow);
        const port = this.#flow(flow).peerPort;
        const isThere =
          known === undefined
            ? [...this.#stack.pcbs.values()].some(({ REMOTE_PORT }) => REMOTE_PORT === port)
            : this.#stack.pcbs.has(known.id);
        if (isThere) throw new Mismatch(`connection ${flow} is still there`);
        this.#pcbs.delete(flow);
        return true;
      }
      case 'check': {
        const value = (this.#pcb(flow) as unknown as Record<string, unknown>)[first];
        if (typeof value !== 'number' && typeof value !== 'boolean') {
          throw new Mismatch(`a PCB has no field ${first}`);
        }
        if (!fits(parseNumberPattern(words[1]!), Number(value))) {
          throw new Mismatch(`${first} is ${value} and not ${words[1]}`);
        }
        return true;
      }
      default:
        return false;
    }
  }

  #compare(what: string, is: string, wanted: string): void {
    if (is !== wanted) throw new Mismatch(`${what} is ${is} and not ${wanted}`);
  }

  // Words for people.

  #note(direction: string, text: string): void {
    this.#trace.push(`${String(this.#now - START).padStart(8)} ${direction} ${text}`);
  }

  #explained(line: Line, error: unknown): Mismatch {
    const what = error instanceof Error ? error.message : String(error);
    const explained = new Mismatch(
      `${this.#script.path}:${line.number}: ${line.text}\n  ${what}\ntrace, in milliseconds:\n${this.#trace.join('\n')}`,
    );
    if (!(error instanceof Mismatch) && error instanceof Error && error.stack !== undefined) {
      explained.message += `\n${error.stack}`;
    }
    return explained;
  }
}

/** What a call gives when nothing else is said. */
const DEFAULT_RESULT: Readonly<Record<string, (words: readonly string[]) => string>> = {
  accept: () => FIRST_FLOW,
  send: (words) => words[0]!,
  receive: (words) => words[0]!,
};

function span(from: number, to: number): string {
  return from === to ? String(from) : `${from}..${to}`;
}

/** The segments that a line with `by` stands for. */
function split(segment: ReturnType<typeof parseSegment>): ReturnType<typeof parseSegment>[] {
  const { by, length, seq } = segment;
  if (by === undefined) return [segment];
  const parts = [];
  for (let at = 0; at < length; at += by) {
    const isLast = at + by >= length;
    const flags = isLast ? segment.flags : segment.flags & ~0x09;
    const part = { ...seq, value: seq.value + at };
    parts.push({ ...segment, flags, seq: part, length: Math.min(by, length - at) });
  }
  return parts;
}

const ICMP_TYPE: Readonly<Record<string, number>> = {
  'echo-reply': 0,
  unreachable: 3,
  'source-quench': 4,
  redirect: 5,
  echo: 8,
  'time-exceeded': 11,
  'parameter-problem': 12,
};

/** `icmp TYPE [CODE] [mtu N] [quoting SEQ] [of PROTOCOL] [id N] [data N]` */
function icmpPacket(flow: Flow, words: readonly string[]): Uint8Array {
  const [, typeName = '', ...rest] = words;
  const type = ICMP_TYPE[typeName];
  if (type === undefined) throw new Mismatch(`no type of ICMP: ${typeName}`);
  const value = (name: string) => {
    const at = rest.indexOf(name);
    return at < 0 ? undefined : rest[at + 1];
  };
  const code = /^\d+$/.test(rest[0] ?? '') ? number(rest[0]!) : 0;
  const quoting = value('quoting');
  const length = number(value('data') ?? '0');
  const payload =
    quoting === undefined
      ? Uint8Array.from({ length }, (_, i) => i)
      : flow.quoted(number(quoting), number(value('length') ?? '28'));
  const icmp = { type, code, rest: number(value('id') ?? value('mtu') ?? '0'), payload };
  return writeIp({
    source: value('from') ?? PEER_ADDRESS,
    destination: value('to') ?? STACK_ADDRESS,
    protocol: PROTOCOL.icmp,
    tos: 0,
    ttl: 64,
    dontFragment: false,
    moreFragments: false,
    options: new Uint8Array(0),
    payload: writeIcmp(icmp),
  });
}

/** `ip PROTOCOL LENGTH`: a packet of another protocol. */
function otherPacket(words: readonly string[]): Uint8Array {
  return writeIp({
    source: words[words.indexOf('from') + 1 || Number.NaN] ?? PEER_ADDRESS,
    destination: words[words.indexOf('to') + 1 || Number.NaN] ?? STACK_ADDRESS,
    protocol: number(words[1]!),
    tos: 0,
    ttl: 64,
    dontFragment: false,
    moreFragments: false,
    options: new Uint8Array(0),
    payload: otherPayload(number(words[1]!), number(words[2] ?? '8')),
  });
}

/** Zeros; for UDP the length in its header is right, and the checksum of zero says that there is none (RFC 768). */
function otherPayload(protocol: number, length: number): Uint8Array {
  const payload = new Uint8Array(length);
  if (protocol === PROTOCOL.udp) new DataView(payload.buffer).setUint16(4, length);
  return payload;
}

function describeIcmp(icmp: Icmp): string {
  const name = Object.keys(ICMP_TYPE).find((key) => ICMP_TYPE[key] === icmp.type) ?? icmp.type;
  return `icmp ${name} ${icmp.code} id ${icmp.rest} data ${icmp.payload.length}`;
}

/** Why the packet is not the one described; undefined: it is. */
function matchIcmp(words: readonly string[], bytes: Uint8Array): string | undefined {
  const ip = readIp(bytes);
  if (ip.protocol !== PROTOCOL.icmp) return 'is not ICMP';
  const icmp = readIcmp(ip.payload);
  if (icmp.type !== ICMP_TYPE[words[1]!]) return `the type is ${icmp.type}`;
  const code = /^\d+$/.test(words[2] ?? '') ? number(words[2]!) : 0;
  if (icmp.code !== code) return `the code is ${icmp.code}`;
  const id = words.indexOf('id');
  if (id >= 0 && icmp.rest !== number(words[id + 1]!)) return `the second word is ${icmp.rest}`;
  const data = words.indexOf('data');
  if (data < 0) return undefined;
  const length = number(words[data + 1]!);
  if (icmp.payload.length !== length) return `it has ${icmp.payload.length} bytes of data`;
  return icmp.payload.every((byte, i) => byte === (i & 255))
    ? undefined
    : 'its data is not what was sent';
}
