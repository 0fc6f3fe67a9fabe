import { type IpAddress, parseAddress } from '../../tcp/address.ts';
import { emitIcmp, ICMP_HEADER_LENGTH, type IcmpVersion } from '../../tcp/wire/icmp.ts';
import { ICMP_DESTINATION_UNREACHABLE, ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import {
  ICMPV6,
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_PACKET_TOO_BIG,
} from '../../tcp/wire/icmpv6.ts';
import { emitIp, ipHeaderLength } from '../../tcp/wire/ip.ts';
import { IPV6_MIN_MTU } from '../../tcp/wire/ipv6.ts';
import { SYN } from '../../tcp/wire/tcp.ts';
import { ipHeaderOf, isIpv4, isSegment, type Packet } from './packet.ts';
import { isWithin, type PathPlan } from './path.ts';
import type { Random } from './random.ts';

const ROUTER: readonly IpAddress[] = ['10.7.0.254', 'fd07::fe'].map((text) => parseAddress(text)!);
const FRAGMENTATION_NEEDED = 4;
/** How much of a packet an error quotes: with IPv4 and IPv6, eight bytes behind the header (RFC 792) and more. */
const QUOTED = [28, 48, 60, 500];
/** Types of errors, and some that mean nothing (RFC 792, RFC 4443). */
const ERRORS4 = [3, 3, 4, 5, 11, 12, 19];
const ERRORS6 = [1, 2, 2, 3, 4, 100];
/** In a TCP header. */
const SEQUENCE_NUMBER_AT = 4;

/** What the senders on one path are told by ICMP. Probabilities are 0 to 1, at each packet. */
export interface RouterPlan {
  /** That a packet was too long for the path. */
  readonly tellsOfMtu: number;
  /** That nothing gets through, in an outage. */
  readonly tellsOfOutages: number;
  /** Something that no router has said. */
  readonly forgery: number;
}

/** The routers of a path, and somebody who passes for one. */
export class Router {
  readonly #plan: RouterPlan;
  readonly #path: PathPlan;
  readonly #healsAt: number;
  readonly #random: Random;
  readonly #tell: (packet: Packet, error: Uint8Array) => void;

  /** @param tell `error` leaves for the sender of `packet` */
  constructor(
    plan: RouterPlan,
    path: PathPlan,
    healsAt: number,
    random: Random,
    tell: (packet: Packet, error: Uint8Array) => void,
  ) {
    this.#plan = plan;
    this.#path = path;
    this.#healsAt = healsAt;
    this.#random = random;
    this.#tell = tell;
  }

  /** A packet comes to the path. */
  sees(packet: Packet, now: number): void {
    if (now >= this.#healsAt) return;
    const { tellsOfMtu, tellsOfOutages, forgery } = this.#plan;
    const { mtu, outages } = this.#path;
    const random = this.#random;
    if (random.chance(forgery)) this.#tell(packet, forge(packet, random));
    if (packet.bytes.length > mtu) {
      if (random.chance(tellsOfMtu)) this.#tell(packet, packetTooBig(packet, mtu));
    } else if (outages.some((span) => isWithin(span, now))) {
      // Who is told while it connects gives up, and rightly so.
      const isConnecting = isSyn(packet);
      if (!isConnecting && random.chance(tellsOfOutages)) {
        this.#tell(packet, unreachable(packet, random));
      }
    }
  }
}

function isSyn(packet: Packet): boolean {
  return isSegment(packet) && (packet.segment.flags & SYN) !== 0;
}

function packetTooBig(packet: Packet, mtu: number): Uint8Array {
  return isIpv4(packet)
    ? errorAbout(packet, packet.bytes, ICMP_DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED, mtu)
    : errorAbout(packet, packet.bytes, ICMPV6_PACKET_TOO_BIG, 0, Math.max(mtu, IPV6_MIN_MTU));
}

function unreachable(packet: Packet, random: Random): Uint8Array {
  const type = isIpv4(packet) ? ICMP_DESTINATION_UNREACHABLE : ICMPV6_DESTINATION_UNREACHABLE;
  return errorAbout(packet, packet.bytes, type, random.below(2), 0);
}

/**
 * Any error, by somebody who sees the packets of a connection or who guesses: it quotes what was sent or what never was. An
 * attempt to connect may end by an error that quotes its SYN, so there it only guesses.
 */
function forge(packet: Packet, random: Random): Uint8Array {
  const quoted = packet.bytes.slice();
  if (isSyn(packet) || random.chance(0.5)) {
    const view = new DataView(quoted.buffer);
    const at = ipHeaderOf(quoted)!.headerLength + SEQUENCE_NUMBER_AT;
    if (at + 4 <= quoted.length)
      view.setUint32(at, view.getUint32(at) ^ random.between(1, 0xffffffff));
  }
  const length = random.pick([random.below(quoted.length + 1), ...QUOTED]);
  const type = random.pick(isIpv4(packet) ? ERRORS4 : ERRORS6);
  const parameter = random.pick([0, 1, 68, 552, 1280, random.u32()]);
  return errorAbout(packet, quoted.subarray(0, length), type, random.below(8), parameter);
}

function errorAbout(
  packet: Packet,
  quoted: Uint8Array,
  type: number,
  code: number,
  parameter: number,
): Uint8Array {
  const { source } = ipHeaderOf(packet.bytes)!;
  const version: IcmpVersion = source.isIpv4 ? ICMPV4 : ICMPV6;
  const router = ROUTER[source.isIpv4 ? 0 : 1]!;
  const length = Math.min(quoted.length, version.maxQuotedLength);
  const total = ICMP_HEADER_LENGTH + length;
  const bytes = new Uint8Array(ipHeaderLength(source) + total);
  const view = new DataView(bytes.buffer);
  const at = emitIp(view, 0, router, source, version.protocol, 64, 0, 0, total);
  const sum = version.pseudoHeaderSum(router, source, total);
  emitIcmp(bytes, view, at, type, code, parameter, quoted, 0, length, sum);
  return bytes;
}
