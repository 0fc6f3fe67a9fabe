import { ECT_0 } from '../../tcp/wire/ip.ts';
import { ACK, FIN, RST, SYN } from '../../tcp/wire/tcp.ts';
import type { Flow, Role } from './flow.ts';
import type { SegmentPacket } from './packet.ts';
import type { HostPlan, Scenario } from './scenario.ts';
import { must } from './violation.ts';

/** Everything about one sender's half of a connection that can be known from its segments and those that reached it. */
class Half {
  readonly iss: number;
  readonly mss: number;
  /** Window scale offered in the SYN; -1: none. */
  readonly scale: number;
  /** One past the highest number sent. */
  end: number;
  /** The highest ACK sent. */
  acked: number | undefined;
  /** The right edge offered furthest. */
  offered: number | undefined;
  /** The right edge offered furthest to this sender, as far as the offer has reached it. */
  granted: number | undefined;
  /** Number of the FIN. */
  fin: number | undefined;
  timestamp: number | undefined;

  constructor(iss: number, mss: number, scale: number) {
    this.iss = iss;
    this.mss = mss;
    this.scale = scale;
    this.end = (iss + 1) >>> 0;
  }
}

/** The distance from `b` to `a` on the circle of sequence numbers. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** What no step of a TCP may do, judged from the wire alone. */
export class Auditor {
  readonly #flows: readonly Flow[];
  /** By sender, receiver and their ports. */
  readonly #halves = new Map<number, Half>();
  readonly #scenario: Scenario;
  /** The hosts that somebody stands in for, and whether all that has come was acknowledged before. */
  readonly #away = new Map<number, boolean>();
  readonly #wereAway = new Set<number>();

  constructor(flows: readonly Flow[], scenario: Scenario) {
    this.#flows = flows;
    this.#scenario = scenario;
  }

  /**
   * From now on somebody stands in for `host`.
   * @param isAtRest whether all that has come is acknowledged
   */
  left(host: number, isAtRest: boolean): void {
    this.#away.set(host, isAtRest);
    this.#wereAway.add(host);
  }

  returned(host: number): void {
    this.#away.delete(host);
  }

  /** A packet has left its host. */
  sent(packet: SegmentPacket): void {
    const { segment } = packet;
    const { flags } = segment;
    if (this.#away.has(packet.from)) this.#checkStandIn(packet);
    if (flags & RST) {
      must(this.#scenario.allowsResets || this.#isOver(packet), 'a reset');
      this.#checkReset(packet);
      return;
    }
    const half = flags & SYN ? this.#synSent(packet) : this.#halves.get(keyOf(packet));
    must(half !== undefined, 'a segment without a SYN before it');
    const peer = this.#halves.get(reverseKeyOf(packet));
    this.#checkText(packet, half);
    this.#checkEcn(packet, half);
    this.#checkWindow(packet, half);
    if (flags & ACK) this.#checkAcknowledgment(packet, half, peer);
    if (segment.options.hasTimestamps) {
      const { timestampValue } = segment.options;
      must(
        half.timestamp === undefined || distance(timestampValue, half.timestamp) >= 0,
        'a timestamp goes back',
      );
      half.timestamp = timestampValue;
    }
    const end = (segment.SEG_SEQ + segment.SEG_LEN) >>> 0;
    if (distance(end, half.end) > 0) half.end = end;
  }

  /** A packet has reached its host whole. */
  delivered(packet: SegmentPacket): void {
    const { segment } = packet;
    if ((segment.flags & ACK) === 0) return;
    const half = this.#halves.get(reverseKeyOf(packet));
    const sender = this.#halves.get(keyOf(packet));
    if (half === undefined || sender === undefined) return;
    // Of an earlier attempt to connect.
    if (distance(segment.SEG_ACK, half.iss) <= 0 || distance(segment.SEG_ACK, half.end) > 0) return;
    const edge = this.#edgeOf(packet, sender, half);
    if (half.granted === undefined || distance(edge, half.granted) > 0) half.granted = edge;
  }

  /** What is known of a sender, for people. */
  numbersOf(packet: SegmentPacket): { iss: number; irs: number; scale: number } {
    const half = this.#halves.get(keyOf(packet));
    const peer = this.#halves.get(reverseKeyOf(packet));
    return {
      iss: half?.iss ?? 0,
      irs: peer?.iss ?? 0,
      scale: half === undefined || packet.segment.flags & SYN ? 0 : scaleOf(half, peer),
    };
  }

  /** Who stands in says again what was acknowledged, and nothing else. */
  #checkStandIn(packet: SegmentPacket): void {
    const { flags, payloadLength, SEG_ACK } = packet.segment;
    must(flags === ACK && payloadLength === 0, 'who stands in says more than an acknowledgment');
    const acked = this.#halves.get(keyOf(packet))?.acked;
    must(
      this.#away.get(packet.from) === false || acked === undefined || distance(SEG_ACK, acked) <= 0,
      'who stands in acknowledges what nobody has',
    );
  }

  /** Beyond the window nobody would believe it (RFC 9293 section 3.10.7.4, first). */
  #checkReset(packet: SegmentPacket): void {
    const { flags, SEG_SEQ } = packet.segment;
    const half = this.#halves.get(keyOf(packet));
    // The answer to a segment of no connection has the number that was asked for, or 0.
    if (half?.granted === undefined || (flags & ACK) === 0 || SEG_SEQ === 0) return;
    must(distance(SEG_SEQ, half.granted) <= 0, 'a reset beyond the window');
  }

  /** Both FINs are acknowledged: who was last to close has no connection left and resets what still comes of it. */
  #isOver(packet: SegmentPacket): boolean {
    const half = this.#halves.get(keyOf(packet));
    const peer = this.#halves.get(reverseKeyOf(packet));
    return half !== undefined && peer !== undefined && isHeard(half, peer) && isHeard(peer, half);
  }

  #synSent(packet: SegmentPacket): Half {
    const { segment } = packet;
    const { options } = segment;
    const key = keyOf(packet);
    const scale = options.hasWindowScale ? options.windowScale : -1;
    const known = this.#halves.get(key);
    if (known?.iss === segment.SEG_SEQ) {
      // A SYN, ACK leaves out what the peer's SYN has not offered.
      const isKept = known.scale === scale || (scale === -1 && (segment.flags & ACK) !== 0);
      must(isKept && known.mss === options.mss, 'a SYN came again with other options');
      return known;
    }
    must(known === undefined || this.#scenario.allowsResets, 'a SYN with another number');
    const half = new Half(segment.SEG_SEQ, options.mss, scale);
    this.#halves.set(key, half);
    return half;
  }

  /** Bytes in are bytes out, and no number ever carries another byte than before. */
  #checkText(packet: SegmentPacket, half: Half): void {
    const { segment, bytes } = packet;
    const { payloadLength, payloadOffset } = segment;
    const isFin = (segment.flags & FIN) !== 0;
    if (payloadLength === 0 && !isFin) return;
    const found = this.#find(packet);
    must(found !== undefined, 'text on a connection of nobody');
    const { flow, role } = found;
    const text = flow.texts[role];
    const offset = distance(segment.SEG_SEQ, half.iss) - 1;
    must(
      text.says(offset, bytes, payloadOffset, payloadOffset + payloadLength),
      () => `${payloadLength} bytes at ${offset} are not what the ${role} said there`,
    );
    const end = (segment.SEG_SEQ + payloadLength) >>> 0;
    must(half.fin === undefined || distance(end, half.fin) <= 0, 'text behind a FIN');
    if (!isFin) return;
    must(half.fin === undefined || half.fin === end, 'a FIN at another number than before');
    must(
      offset + payloadLength === text.length || flow.isRude,
      () => `a FIN after ${offset + payloadLength} of ${text.length} bytes`,
    );
    half.fin = end;
  }

  /** Only new text is ECN-capable (RFC 3168 sections 6.1.4 to 6.1.6), and only a router marks it. */
  #checkEcn({ segment }: SegmentPacket, half: Half): void {
    if (segment.ecn === 0) return;
    must(segment.ecn === ECT_0, 'a host marks its own packet');
    must(segment.payloadLength > 0, 'a segment without text is ECN-capable');
    must(distance(segment.SEG_SEQ, half.end) >= 0, 'text that is sent again is ECN-capable');
  }

  /** Nothing is sent beyond the peer's window but a probe of one number (RFC 9293 section 3.8.6.1). */
  #checkWindow(packet: SegmentPacket, half: Half): void {
    const { segment } = packet;
    const count = segment.payloadLength + (segment.flags & FIN ? 1 : 0);
    if (count === 0 || segment.flags & SYN) return;
    must(half.granted !== undefined, 'text before there was a window');
    const beyond = distance((segment.SEG_SEQ + count) >>> 0, half.granted);
    must(
      beyond <= 0 || (beyond === 1 && count === 1),
      () => `${count} numbers, ${beyond} of them beyond the window`,
    );
  }

  #checkAcknowledgment(packet: SegmentPacket, half: Half, peer: Half | undefined): void {
    const { SEG_ACK } = packet.segment;
    must(peer !== undefined, 'an acknowledgment of nothing');
    // Of an earlier attempt of the peer to connect.
    if (distance(SEG_ACK, peer.iss) <= 0 || distance(SEG_ACK, peer.end) > 0) {
      half.acked = undefined;
      half.offered = undefined;
      return;
    }
    must(
      half.acked === undefined || distance(SEG_ACK, half.acked) >= 0,
      () => `an acknowledgment goes back by ${distance(half.acked!, SEG_ACK)}`,
    );
    half.acked = SEG_ACK;
    const edge = this.#edgeOf(packet, half, peer);
    const retracted = half.offered === undefined ? 0 : distance(half.offered, edge);
    if (retracted <= 0) {
      half.offered = edge;
      return;
    }
    // A SYN says what it said first, also when more has been offered since.
    if (packet.segment.flags & SYN) return;
    // Nor does it count that a stand-in shuts a window, and the next engine with it until text comes.
    if (packet.segment.SEG_WND === 0 && this.#wereAway.has(packet.from)) return;
    // By less than a unit of the scale it may seem to (RFC 7323 section 2.4).
    const unit = 2 ** scaleOf(half, peer);
    must(
      retracted < unit || mayShrink(this.#scenario.hosts[packet.from]!),
      () => `the window is retracted by ${retracted}`,
    );
  }

  #edgeOf(packet: SegmentPacket, sender: Half, receiver: Half | undefined): number {
    const { segment } = packet;
    const scale = segment.flags & SYN ? 0 : scaleOf(sender, receiver);
    return (segment.SEG_ACK + segment.SEG_WND * 2 ** scale) >>> 0;
  }

  #find(packet: SegmentPacket): { flow: Flow; role: Role } | undefined {
    const { sourcePort, destinationPort } = packet.segment;
    for (const flow of this.#flows) {
      const role = flow.senderOf(packet.from, sourcePort, destinationPort);
      if (role !== undefined) return { flow, role };
    }
    return undefined;
  }
}

/** Whether `peer` has acknowledged the FIN of `half`. */
function isHeard({ fin }: Half, { acked }: Half): boolean {
  return fin !== undefined && acked !== undefined && distance(acked, fin) > 0;
}

function mayShrink(host: HostPlan): boolean {
  return host.kind === 'plain' && host.shrinks;
}

/** RFC 7323 section 2.2: only when both have offered it. */
function scaleOf(sender: Half, receiver: Half | undefined): number {
  if (sender.scale < 0 || receiver === undefined || receiver.scale < 0) return 0;
  return Math.min(sender.scale, 14);
}

function keyOf({ from, to, segment }: SegmentPacket): number {
  return ((from * 8 + to) * 65536 + segment.sourcePort) * 65536 + segment.destinationPort;
}

function reverseKeyOf({ from, to, segment }: SegmentPacket): number {
  return ((to * 8 + from) * 65536 + segment.destinationPort) * 65536 + segment.sourcePort;
}
