import { echoArrives } from '../echo.ts';
import type { Egress } from '../egress.ts';
import { Host, type StackOptions } from '../host.ts';
import { BARE, type Ingress } from '../ingress.ts';
import type { Pcb } from '../pcb.ts';
import { restore } from '../restore.ts';
import { icmpOf } from '../send-icmp.ts';
import { isSynchronized } from '../state.ts';
import { TokenBucket } from '../token-bucket.ts';
import { transmitPackets } from '../transmit-packets.ts';
import { pseudoHeaderSum } from '../wire/checksum.ts';
import { type IpHeader, ipVersion } from '../wire/ip.ts';
import { PROTOCOL_TCP, parseIpv4 } from '../wire/ipv4.ts';
import { parseIpv6 } from '../wire/ipv6.ts';
import { parseTcp, UNCHECKED } from '../wire/tcp.ts';
import { answer, isAnswered, type Kept, mustShut, wantsAnswer } from './answer.ts';

/** For all connections together. Peers who ask again and again ask seldom. */
const ANSWERS_PER_SECOND = 1000;

export interface StandInOptions
  extends Pick<StackOptions, 'address' | 'prefix' | 'address6' | 'mtu' | 'entropy' | 'now'> {
  /** IDs of connections whose peers have been told already, by a stand-in before this one; none if not given. */
  readonly shut?: Iterable<number>;
  /** Called with the ID of each connection whose peer is about to be told that its window is closed: see `Stack.shutWindow`. */
  onShut(connection: number): void;
}

/**
 * Answers for a host while nobody is there who could take anything in, so that its peers do not give up: with what was durable
 * when it was left, and nothing else. It acknowledges nothing new, ends and begins nothing, and is silent to strangers. Times
 * are milliseconds of one monotonic clock.
 */
export class StandIn {
  readonly #host: Host;
  readonly #kept = new Map<number, Kept>();
  readonly #bucket: TokenBucket;
  readonly #shut: ReadonlySet<number>;
  readonly #onShut: (connection: number) => void;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  constructor(options: StandInOptions) {
    // No number is chosen here, so there is nothing to be kept secret.
    this.#host = new Host({ ...options, secret: new Uint8Array(16) });
    this.#bucket = new TokenBucket(ANSWERS_PER_SECOND, options.now);
    this.#shut = new Set(options.shut);
    this.#onShut = options.onShut;
  }

  /** How many connections it answers for. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * Takes over a connection.
   * @param record from `Pcb.record`
   * @throws RecordError the record contradicts itself or another one
   */
  restore(record: Uint8Array): void {
    const pcb = restore(this.#host, record);
    if (!isSynchronized(pcb.STATE) || this.#host.isOwn(pcb.remoteAddress)) return;
    // Any echo is of a segment that nothing new has come before.
    pcb.LAST_ACK_SENT = pcb.RCV_NXT;
    if (this.#shut.has(pcb.ID)) pcb.WINDOW_SHUT = 1;
    this.#kept.set(pcb.ID, { pcb, answeredAt: -Infinity });
  }

  /**
   * One IP packet, at bytes[offset, offset + length), which may be anything.
   * @param egress where the answer is written, if there is one
   */
  arrive(
    bytes: Uint8Array,
    offset: number,
    length: number,
    now: number,
    egress: Egress,
    ingress: Ingress = BARE,
  ): void {
    const host = this.#host;
    const view = this.#viewOf(bytes);
    const header = this.#ipHeader(view, offset, length);
    if (header === undefined || header.isFragment) return;
    const { source, destination, protocol, headerLength, totalLength } = header;
    if (!host.isUnicast(source) || !host.isOwn(destination)) return;
    const payload = offset + headerLength;
    const payloadLength = totalLength - headerLength;
    if (protocol === PROTOCOL_TCP) {
      const sum = ingress.isVouchedFor
        ? UNCHECKED
        : pseudoHeaderSum(source, destination, PROTOCOL_TCP, payloadLength);
      if (!parseTcp(view, payload, payloadLength, sum, host.segment)) return;
      this.#segmentArrives(header, now, egress);
    } else if (protocol === icmpOf(source).protocol && this.#bucket.take(now)) {
      echoArrives(host, bytes, view, payload, payloadLength, source);
      transmitPackets(host, host.replies, egress);
    }
  }

  #segmentArrives({ source, destination }: IpHeader, now: number, egress: Egress): void {
    const { connections, segment } = this.#host;
    const { destinationPort, sourcePort } = segment;
    const pcb = connections.find(destination, destinationPort, source, sourcePort);
    const kept = this.#keptOf(pcb);
    if (kept === undefined || !wantsAnswer(kept.pcb, segment) || isAnswered(kept, now)) return;
    if (!this.#bucket.take(now)) return;
    if (mustShut(kept.pcb, segment)) {
      kept.pcb.WINDOW_SHUT = 1;
      this.#onShut(kept.pcb.ID);
    }
    answer(this.#host, kept, segment, now, egress);
  }

  #keptOf(pcb: Pcb | undefined): Kept | undefined {
    return pcb && this.#kept.get(pcb.ID);
  }

  #ipHeader(view: DataView, offset: number, length: number): IpHeader | undefined {
    const { ipv4Header, ipv6Header } = this.#host;
    switch (ipVersion(view, offset, length)) {
      case 4:
        return parseIpv4(view, offset, length, ipv4Header) ? ipv4Header : undefined;
      case 6:
        // An IPv4-mapped source would pass for IPv4's (RFC 4942 section 2.2).
        return parseIpv6(view, offset, length, ipv6Header) && !ipv6Header.source.isIpv4
          ? ipv6Header
          : undefined;
      default:
        return undefined;
    }
  }

  /** Packets mostly come in the same memory: its view is made once. */
  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}
