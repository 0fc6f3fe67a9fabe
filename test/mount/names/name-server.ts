import { type Answer, decode, encode, type Question } from 'dns-packet';
import { IpAddress } from '../../../tcp/address.ts';
import type { Pcb } from '../../../tcp/pcb.ts';
import type { Stack } from '../../../tcp/stack.ts';
import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';

/** What a name server says to a question; undefined: nothing. */
export interface Saying {
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly rcode?: number;
  readonly isTruncated?: boolean;
}

/** How a question came. */
export interface Asked {
  readonly question: Question;
  readonly id: number;
  readonly overTcp: boolean;
  readonly port: number;
}

const RESPONSE = 0x8180;
const TRUNCATED = 1 << 9;

/** A name server on a stack of its own, which says what a test has told it. */
export class NameServer {
  readonly asked: Asked[] = [];
  say: (asked: Asked) => Saying | undefined = () => undefined;
  readonly #stack: Stack;
  readonly #socket: UdpPcb;
  readonly #listener: Pcb;
  readonly #connections: Pcb[] = [];

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#socket = stack.udp.create();
    stack.udp.bind(this.#socket, { address: '::', port: 53 });
    this.#listener = stack.create();
    stack.bind(this.#listener, { address: '::', port: 53 });
    stack.listen(this.#listener, 8);
  }

  /** Answers what has come. @returns whether anything had */
  serve(now: number): boolean {
    const before = this.asked.length;
    const target = new Uint8Array(512);
    for (;;) {
      const datagram = this.#stack.udp.receive(this.#socket, target);
      if (datagram === undefined) break;
      const message = target.subarray(0, datagram.length);
      const reply = this.#replyTo(message, false, datagram.sourcePort);
      const to = { address: datagram.source, port: datagram.sourcePort };
      if (reply !== undefined) this.#stack.udp.send(this.#socket, reply, now, to);
    }
    for (
      let pcb = this.#stack.accept(this.#listener);
      pcb;
      pcb = this.#stack.accept(this.#listener)
    ) {
      this.#connections.push(pcb);
    }
    for (const pcb of this.#connections.filter(({ readable }) => readable > 0)) {
      const count = this.#stack.receive(pcb, target, now);
      const reply = this.#replyTo(target.subarray(2, count), true, pcb.REMOTE_PORT);
      if (reply === undefined) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      this.#stack.send(pcb, Buffer.concat([length, reply]), now);
    }
    for (const pcb of this.#connections.splice(0)) {
      if (pcb.FIN_RECEIVED === 1) this.#stack.close(pcb, now);
      else this.#connections.push(pcb);
    }
    return this.asked.length > before;
  }

  /** Sends a datagram from the server's own socket, whether anybody has asked or not. */
  send(message: Uint8Array, address: string, port: number, now: number): void {
    const ipv4 = address.split('.').reduce((word, octet) => word * 256 + Number(octet), 0);
    this.#stack.udp.send(this.#socket, message, now, { address: IpAddress.fromIpv4(ipv4), port });
  }

  #replyTo(message: Uint8Array, overTcp: boolean, port: number): Uint8Array | undefined {
    const { id = 0, questions = [] } = decode(Buffer.from(message));
    const asked = { question: questions[0]!, id, overTcp, port };
    this.asked.push(asked);
    const saying = this.say(asked);
    return saying && messageOf(asked, saying);
  }
}

/** The message that says it. */
export function messageOf(
  { id, question }: Pick<Asked, 'id' | 'question'>,
  saying: Saying,
): Uint8Array {
  const { answers = [], authorities = [], rcode = 0, isTruncated = false } = saying;
  return encode({
    type: 'response',
    id,
    flags: RESPONSE | rcode | (isTruncated ? TRUNCATED : 0),
    questions: [question],
    answers: [...answers],
    authorities: [...authorities],
  });
}
