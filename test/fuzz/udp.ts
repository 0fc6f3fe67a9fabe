import { parseAddress } from '../../tcp/address.ts';
import { ErrnoError } from '../../tcp/errno.ts';
import { Stack } from '../../tcp/stack.ts';
import { checkDatagrams } from '../../tcp/udp/datagram-queue.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { emitIcmp } from '../../tcp/wire/icmp.ts';
import { ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import { ICMPV6 } from '../../tcp/wire/icmpv6.ts';
import { packet } from '../tcp/forge.ts';
import { PROTOCOL } from '../tcp/scripts/packet.ts';
import { writeUdp } from '../tcp/udp-datagram.ts';
import { Capture } from '../tcp/wire-pair.ts';
import { fragmentsOf } from './fragments.ts';
import { Choices } from './input.ts';
import { Finding } from './invariants.ts';

const STEPS = 60;
const MEMORY = 1 << 20;
const MOST_SOCKETS = 8;
const PROTOCOL_ICMPV6 = 58;

/** Ours, and somebody else's. */
const PAIRS = [
  ['10.7.0.2', '10.7.0.1'],
  ['fd00:7::2', 'fd00:7::1'],
] as const;
const PORTS = [53, 54, 40_000, 0];

/**
 * A stack with UDP sockets, and what comes to it and what its users do, in any order.
 * @returns how many inputs that were
 */
export function fuzzUdp(bytes: Uint8Array): number {
  const life = new Life(bytes);
  for (let step = 0; step < STEPS; step++) life.step();
  return STEPS;
}

class Life {
  readonly #choices: Choices;
  readonly #stack: Stack;
  readonly #egress: Capture;
  #lastSent: Uint8Array = new Uint8Array(28);
  #now = 1000;

  constructor(bytes: Uint8Array) {
    const choices = new Choices(bytes);
    this.#choices = choices;
    this.#stack = new Stack({
      address: PAIRS[0][0],
      prefix: 24,
      address6: PAIRS[1][0],
      mtu: choices.pick([1280, 1500, 9000]),
      secret: new Uint8Array(16),
      entropy: () => choices.u32(),
      now: this.#now,
      memory: MEMORY,
    });
    this.#egress = new Capture((sent) => {
      this.#lastSent = sent;
    });
  }

  step(): void {
    const what = this.#choices.below(8);
    if (what < 3) this.#arrive(this.#datagram());
    else if (what < 4) this.#arrive(this.#error());
    else this.#attempt();
    if (this.#choices.chance(200)) {
      this.#egress.room = this.#choices.pick([0, 1000, Infinity, Infinity]);
      this.#stack.transmit(this.#now, this.#egress);
    }
    this.#now += this.#choices.pick([0, 1, 40_000]);
    this.#stack.tick(this.#now);
    this.#look();
  }

  #look(): void {
    const stack = this.#stack;
    if (stack.memoryUsed > MEMORY) throw new Finding('the memory is bounded');
    for (const pcb of stack.udp.pcbs.values()) {
      // Throws when the datagrams do not follow each other.
      checkDatagrams(pcb);
      if (!pcb.isStreamComplete) throw new Finding('the stream holds what the record says');
    }
    stack.takeChanged();
    stack.takeDirty();
    for (const pcb of stack.takeRemoved()) {
      if (stack.find(pcb.ID) !== undefined) throw new Finding('what is gone is gone');
    }
  }

  #pair(): (typeof PAIRS)[number] {
    return this.#choices.pick(PAIRS);
  }

  #datagram(): Uint8Array {
    const choices = this.#choices;
    const [destination, source] = this.#pair();
    const [sourcePort, destinationPort] = [choices.pick(PORTS), choices.pick(PORTS)];
    const payload = new Uint8Array(choices.pick([0, 1, 512, 1200, choices.below(9000)]));
    const udp = writeUdp({ source, sourcePort, destination, destinationPort, payload });
    for (let changes = choices.pick([0, 0, 0, 1, 3]); changes > 0; changes--) {
      udp[choices.below(Math.min(udp.length, 16))]! ^= 1 << choices.below(8);
    }
    return packet(source, destination, PROTOCOL.udp, udp);
  }

  /** About what left last, or something like it. */
  #error(): Uint8Array {
    const choices = this.#choices;
    const quoted = this.#lastSent.slice(0, choices.pick([28, 48, 100, choices.below(60)]));
    if (quoted.length > 0 && choices.chance(60)) quoted[choices.below(quoted.length)]! ^= 1;
    const is4 = this.#lastSent[0]! >>> 4 !== 6;
    const [destination, source] = PAIRS[is4 ? 0 : 1];
    const { pseudoHeaderSum } = is4 ? ICMPV4 : ICMPV6;
    const bytes = new Uint8Array(8 + quoted.length);
    const sum = pseudoHeaderSum(parseAddress(source)!, parseAddress(destination)!, bytes.length);
    const type = choices.pick([1, 2, 3, 4, 11, choices.byte()]);
    const parameter = choices.pick([0, 68, 1280, 1400, choices.u32()]);
    const view = new DataView(bytes.buffer);
    emitIcmp(bytes, view, 0, type, choices.below(8), parameter, quoted, 0, quoted.length, sum);
    return packet(source, destination, is4 ? PROTOCOL.icmp : PROTOCOL_ICMPV6, bytes);
  }

  #arrive(bytes: Uint8Array): void {
    const parts = this.#choices.chance(40) ? fragmentsOf(this.#choices, bytes) : [bytes];
    for (const part of parts) this.#stack.arrive(part, 0, part.length, this.#now);
  }

  #attempt(): void {
    try {
      this.#call();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
    }
  }

  #call(): void {
    const choices = this.#choices;
    const { udp } = this.#stack;
    const pcb = this.#socket();
    const [here, there] = this.#pair();
    const remote = {
      address: choices.pick([there, here, '10.7.0.255']),
      port: choices.pick(PORTS),
    };
    switch (choices.below(9)) {
      case 0:
        udp.bind(pcb, {
          address: choices.pick(['::', '0.0.0.0', here]),
          port: choices.pick(PORTS),
        });
        break;
      case 1:
        udp.connect(pcb, remote);
        break;
      case 2:
        udp.setDestination(pcb, choices.chance(200) ? remote : undefined);
        break;
      case 3:
        udp.setOption(pcb, choices.pick(['RCVBUF', 'SNDBUF']), choices.pick([2048, 65536, 0]));
        break;
      case 4:
        udp.close(pcb);
        break;
      case 5:
        udp.peek(pcb, choices.below(2000), new Uint8Array(choices.below(2000)));
        break;
      case 6:
        this.#receive(pcb);
        break;
      default:
        udp.send(pcb, new Uint8Array(choices.pick([0, 10, 1400, 5000, 65_507, 65_528])), this.#now);
    }
  }

  #socket(): UdpPcb {
    const { udp } = this.#stack;
    const all = [...udp.pcbs.values()];
    if (all.length === 0 || (all.length < MOST_SOCKETS && this.#choices.chance(20))) {
      return udp.create();
    }
    return this.#choices.pick(all);
  }

  #receive(pcb: UdpPcb): void {
    const waiting = pcb.isReadable;
    const datagram = this.#stack.udp.receive(pcb, new Uint8Array(this.#choices.below(2000)));
    if ((datagram !== undefined) !== waiting) throw new Finding('what waits is what is read');
  }
}
