import type { ControlBlock } from '../../tcp/control-block.ts';
import { Durability } from '../../tcp/durability.ts';
import { ErrnoError, errnoName } from '../../tcp/errno.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import type { Stack } from '../../tcp/stack.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import {
  type AddressType,
  encodeQuestion,
  NOERROR,
  NXDOMAIN,
  nameOfRcode,
  parseReply,
  type Reply,
} from './dns-message.ts';
import type { DnsSettings } from './resolv-conf.ts';

const DOMAIN_PORT = 53;
/** The ports that a question may come from, all of which an attacker has to try (RFC 5452 section 9.2). */
const FIRST_PORT = 1024;
const PORTS = 65536 - FIRST_PORT;
/** How many of them are tried until one is free. */
const PORT_ATTEMPTS = 16;

/** More than a server says to who has not asked for more (RFC 1035 section 4.2.1). */
const LONGEST_DATAGRAM = 4096;
/** Before each message over TCP stand two bytes, its length (RFC 1035 section 4.2.2). */
const LENGTH_BYTES = 2;

/** How often a server may answer that the name is an alias of something else, which is then asked for. */
const MOST_QUESTIONS = 8;

/** What has come of a question: what the server at `from` says, or why nobody says anything. */
export type Outcome =
  | { readonly reply: Reply; readonly from: string }
  | { readonly error: ErrnoError };

/** Random numbers of 32 bits. */
export type Entropy = () => number;

const datagram = new Uint8Array(LONGEST_DATAGRAM);

/** One question, asked of one server after the other until one answers: over UDP, and again over TCP if the answer is too long. */
export class DnsQuery {
  readonly #stack: Stack;
  readonly #entropy: Entropy;
  readonly #settings: DnsSettings;
  readonly #type: AddressType;
  /** What was asked for first, for people. */
  readonly #what: string;
  #name: string;
  #questions = 1;
  #tries = 0;
  #id = 0;
  #socket: UdpPcb | undefined;
  #connection: Pcb | undefined;
  #received: Uint8Array = new Uint8Array(0);
  /** What servers that have answered have said, and nobody wants to hear. */
  readonly #complaints: string[] = [];
  /** When the next server is asked, milliseconds. */
  deadline = Infinity;
  outcome: Outcome | undefined;

  constructor(
    stack: Stack,
    entropy: Entropy,
    settings: DnsSettings,
    name: string,
    type: AddressType,
  ) {
    this.#stack = stack;
    this.#entropy = entropy;
    this.#settings = settings;
    this.#name = name;
    this.#what = name;
    this.#type = type;
  }

  /** Asks the next server; when all have been asked often enough, that is the outcome. */
  ask(now: number): void {
    const { servers, timeout, attempts } = this.#settings;
    this.#hangUp(now);
    while (this.#tries < servers.length * attempts) {
      const server = servers[this.#tries++ % servers.length]!;
      try {
        this.#send(server, now);
        this.deadline = now + timeout;
        return;
      } catch (error) {
        this.#complain(server, error);
      }
    }
    this.#finish({ error: this.#failure() });
  }

  /** Whether a socket that something has happened to is this question's. */
  owns(pcb: ControlBlock): boolean {
    return pcb === this.#socket || pcb === this.#connection;
  }

  /** Hears what has come. */
  hear(now: number): void {
    try {
      if (this.#socket !== undefined) this.#hearDatagrams(this.#socket, now);
      else if (this.#connection !== undefined) this.#hearStream(this.#connection, now);
    } catch (error) {
      this.#complain(this.#server, error);
      this.ask(now);
    }
  }

  get #server(): string {
    const { servers } = this.#settings;
    return servers[(this.#tries - 1) % servers.length]!;
  }

  /** From another port and with another number each time: whoever wants to forge an answer has to guess both. */
  #send(server: string, now: number): void {
    const { udp } = this.#stack;
    const socket = udp.createTransient();
    this.#socket = socket;
    socket.DURABILITY = Durability.PROCESS;
    this.#bind(socket);
    udp.connect(socket, { address: server, port: DOMAIN_PORT });
    this.#id = this.#entropy() & 0xffff;
    udp.send(socket, encodeQuestion(this.#id, this.#name, this.#type), now);
  }

  #bind(socket: UdpPcb): void {
    for (let attempt = 1; ; attempt++) {
      const port = FIRST_PORT + (this.#entropy() % PORTS);
      try {
        this.#stack.udp.bind(socket, { address: '::', port });
        return;
      } catch (error) {
        if (!(error instanceof ErrnoError) || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  #hearDatagrams(socket: UdpPcb, now: number): void {
    for (;;) {
      const received = this.#stack.udp.receive(socket, datagram);
      if (received === undefined) return;
      const reply = parseReply(
        datagram.subarray(0, received.length),
        this.#id,
        this.#name,
        this.#type,
      );
      // Whatever else comes may be an attempt to forge the answer, which may still come.
      if (reply === undefined) continue;
      if (reply.isTruncated) this.#askOverTcp(now);
      else this.#take(reply, now);
      return;
    }
  }

  /** The whole answer of the same server (RFC 7766 section 5). */
  #askOverTcp(now: number): void {
    const server = this.#server;
    this.#hangUp(now);
    const connection = this.#stack.createTransient();
    this.#connection = connection;
    connection.DURABILITY = Durability.PROCESS;
    this.#stack.connect(connection, { address: server, port: DOMAIN_PORT }, now);
    const question = encodeQuestion(this.#id, this.#name, this.#type);
    const message = Uint8Array.of(question.length >> 8, question.length & 0xff, ...question);
    this.#stack.send(connection, message, now);
    this.deadline = now + this.#settings.timeout;
  }

  #hearStream(connection: Pcb, now: number): void {
    if (connection.ERROR !== 0) throw new ErrnoError(errnoName(connection.ERROR) ?? 'EIO');
    while (connection.readable > 0) {
      const count = this.#stack.receive(connection, datagram, now);
      this.#received = Buffer.concat([this.#received, datagram.subarray(0, count)]);
    }
    const [high = 0, low = 0] = this.#received;
    const end = LENGTH_BYTES + high * 256 + low;
    if (this.#received.length < LENGTH_BYTES || this.#received.length < end) {
      if (connection.FIN_RECEIVED === 1) throw new ErrnoError('ECONNRESET');
      return;
    }
    const message = this.#received.subarray(LENGTH_BYTES, end);
    const reply = parseReply(message, this.#id, this.#name, this.#type);
    if (reply === undefined) throw new ErrnoError('EPROTO');
    this.#take(reply, now);
  }

  #take(reply: Reply, now: number): void {
    const { rcode, addresses, canonicalName } = reply;
    if (rcode !== NOERROR && rcode !== NXDOMAIN) {
      this.#complaints.push(`${nameOfRcode(rcode)} from ${this.#server}`);
      this.ask(now);
      return;
    }
    const isAlias = rcode === NOERROR && addresses.length === 0 && canonicalName !== this.#name;
    if (isAlias && this.#questions < MOST_QUESTIONS) {
      this.#questions++;
      this.#name = canonicalName;
      this.#tries--;
      this.ask(now);
      return;
    }
    const from = this.#server;
    this.#hangUp(now);
    this.#finish({ reply, from });
  }

  #complain(server: string, error: unknown): void {
    if (!(error instanceof ErrnoError)) throw error;
    this.#complaints.push(`${error.errno} at ${server}`);
  }

  #failure(): ErrnoError {
    const { servers } = this.#settings;
    const complaints = [...new Set(this.#complaints)];
    return complaints.length > 0
      ? new ErrnoError('EHOSTUNREACH', `${this.#what}: ${complaints.join(', ')}`)
      : new ErrnoError('ETIMEDOUT', `${this.#what}: no answer from ${servers.join(', ')}`);
  }

  #finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.deadline = Infinity;
  }

  /** Lets go of what the question was asked by. */
  #hangUp(now: number): void {
    if (this.#socket !== undefined) this.#stack.udp.close(this.#socket);
    if (this.#connection !== undefined) this.#stack.close(this.#connection, now);
    this.#socket = undefined;
    this.#connection = undefined;
    this.#received = new Uint8Array(0);
  }
}
