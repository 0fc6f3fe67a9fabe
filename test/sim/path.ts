import { mark } from '../mark.ts';
import type { EventQueue } from './event-queue.ts';
import type { Random } from './random.ts';

/** Virtual time, milliseconds, `until` not included. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export function isWithin(span: Span, at: number): boolean {
  return span.from <= at && at < span.until;
}

/** What one way from one host to another does to packets. Probabilities are 0 to 1, times milliseconds. */
export interface PathPlan {
  readonly delay: number;
  /** Bytes in a millisecond, and how many may wait. */
  readonly rate: number;
  readonly queue: number;

  // The faults: all of them end when the network heals.
  readonly loss: number;
  /** Loss in bursts (E. Gilbert, 1960): the probabilities, at each packet, that one begins and that it ends. */
  readonly burstBegins: number;
  readonly burstEnds: number;
  /** The longest extra delay. It keeps the order of packets, unless they are among those that may overtake. */
  readonly jitter: number;
  readonly overtaking: number;
  readonly duplication: number;
  /** The longest extra delay of a duplicate. */
  readonly duplicateDelay: number;
  readonly corruption: number;
  /** How likely an ECN-capable packet is marked. */
  readonly marking: number;
  /** Longer packets vanish without a word. */
  readonly mtu: number;
  /** When nothing gets through. */
  readonly outages: readonly Span[];
}

/** What became of a packet, for people. */
export type Fate = string;

/** What is before it in an IPv6 packet no checksum covers. */
const CHECKED_FROM6 = 8;

/** One way from one host to another, for packets of any kind. */
export class Path<Packet extends { readonly bytes: Uint8Array }> {
  readonly #plan: PathPlan;
  readonly #healsAt: number;
  readonly #events: EventQueue;
  readonly #random: Random;
  readonly #deliver: (packet: Packet, isWhole: boolean) => void;
  #isBurst = false;
  /** When the link has sent what waits. */
  #freeAt = 0;
  /** When the last packet in order arrives. */
  #lastArrival = 0;

  constructor(
    plan: PathPlan,
    healsAt: number,
    events: EventQueue,
    random: Random,
    deliver: (packet: Packet, isWhole: boolean) => void,
  ) {
    this.#plan = plan;
    this.#healsAt = healsAt;
    this.#events = events;
    this.#random = random;
    this.#deliver = deliver;
  }

  carry(packet: Packet): Fate {
    const { now } = this.#events;
    const { rate, queue, delay } = this.#plan;
    const { length } = packet.bytes;
    const begin = Math.max(now, this.#freeAt);
    if ((begin - now) * rate > queue) return 'lost: the queue is full';
    this.#freeAt = begin + length / rate;
    const arrival = this.#freeAt + delay;
    return now < this.#healsAt ? this.#carryBadly(packet, arrival) : this.#arrive(packet, arrival);
  }

  #carryBadly(packet: Packet, arrival: number): Fate {
    const plan = this.#plan;
    const random = this.#random;
    const { now } = this.#events;
    if (packet.bytes.length > plan.mtu) return 'lost: too long';
    if (plan.outages.some((span) => isWithin(span, now))) return 'lost: outage';
    if (this.#isInBurst()) return 'lost: burst';
    if (random.chance(plan.loss)) return 'lost';
    if (plan.marking > 0 && random.chance(plan.marking)) return this.#carryMarked(packet, arrival);
    return this.#carryWhole(packet, arrival, '');
  }

  #carryMarked(packet: Packet, arrival: number): Fate {
    const bytes = packet.bytes.slice();
    if (!mark(bytes)) return this.#carryWhole(packet, arrival, '');
    return this.#carryWhole({ ...packet, bytes }, arrival, 'marked; ');
  }

  #carryWhole(packet: Packet, arrival: number, before: Fate): Fate {
    const plan = this.#plan;
    const random = this.#random;
    let fate = before;
    if (random.chance(plan.duplication)) {
      const late = arrival + random.fraction() * plan.duplicateDelay;
      this.#at(late, packet, true);
      fate += `again ${late.toFixed(3)}; `;
    }
    const extra = random.fraction() * plan.jitter;
    if (random.chance(plan.corruption)) {
      this.#at(arrival + extra, { ...packet, bytes: this.#corrupt(packet.bytes) }, false);
      return `${fate}corrupted`;
    }
    if (random.chance(plan.overtaking)) {
      this.#at(arrival + extra, packet, true);
      return `${fate}out of order ${(arrival + extra).toFixed(3)}`;
    }
    return fate + this.#arrive(packet, arrival + extra);
  }

  #isInBurst(): boolean {
    const { burstBegins, burstEnds } = this.#plan;
    const changes = this.#random.chance(this.#isBurst ? burstEnds : burstBegins);
    if (changes) this.#isBurst = !this.#isBurst;
    return this.#isBurst;
  }

  /** In order. */
  #arrive(packet: Packet, arrival: number): Fate {
    this.#lastArrival = Math.max(this.#lastArrival, arrival);
    this.#at(this.#lastArrival, packet, true);
    return this.#lastArrival.toFixed(3);
  }

  #at(arrival: number, packet: Packet, isWhole: boolean): void {
    this.#events.at(arrival, () => this.#deliver(packet, isWhole));
  }

  /** In a way that the Internet checksum always notices: a burst of at most 15 bits, or an end cut off. */
  #corrupt(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    if (random.chance(0.2)) return bytes.slice(0, random.below(bytes.length));
    const corrupted = bytes.slice();
    const isIpv6 = corrupted[0]! >>> 4 === 6;
    const at = random.between(isIpv6 ? CHECKED_FROM6 : 0, corrupted.length - 1);
    corrupted[at]! ^= random.between(1, 255);
    return corrupted;
  }
}
