import { BARE, type Ingress } from '../tcp/ingress.ts';
import { finishChecksum, onesComplementSum, pseudoHeaderSum } from '../tcp/wire/checksum.ts';
import type { IpHeader } from '../tcp/wire/ip.ts';
import { Ipv4Header, PROTOCOL_TCP, parseIpv4 } from '../tcp/wire/ipv4.ts';
import { Ipv6Header, parseIpv6 } from '../tcp/wire/ipv6.ts';
import { ACK, CWR, ECE, FIN, PSH } from '../tcp/wire/tcp.ts';

/** What a network interface with offloads does (Linux: Documentation/networking/segmentation-offloads.rst), in software. */

const ipv4 = new Ipv4Header();
const ipv6 = new Ipv6Header();

/** Where the parts of a packet with a TCP segment lie. */
interface Anatomy {
  readonly ip: IpHeader;
  readonly view: DataView;
  /** Where the text begins. */
  readonly text: number;
}

/** @returns undefined when `bytes` is no whole packet with a whole TCP header; otherwise valid until the next call */
function anatomyOf(bytes: Uint8Array): Anatomy | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isIpv4 = bytes.length > 0 && bytes[0]! >>> 4 === 4;
  const ip = isIpv4 ? ipv4 : ipv6;
  const isGood = isIpv4
    ? parseIpv4(view, 0, bytes.length, ipv4)
    : parseIpv6(view, 0, bytes.length, ipv6);
  if (!isGood || ip.protocol !== PROTOCOL_TCP || ip.isFragment) return undefined;
  if (ip.totalLength !== bytes.length || bytes.length < ip.headerLength + 20) return undefined;
  const text = ip.headerLength + ((bytes[ip.headerLength + 12]! >>> 4) << 2);
  return text > bytes.length ? undefined : { ip, view, text };
}

/** Sets what depends on the length of a packet: the IP header's length and checksum, and TCP's checksum. */
function finish(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0]! >>> 4 === 4) {
    view.setUint16(2, bytes.length);
    view.setUint16(10, 0);
    view.setUint16(10, finishChecksum(onesComplementSum(view, 0, (bytes[0]! & 15) << 2)));
  } else {
    view.setUint16(4, bytes.length - 40);
  }
  const { ip } = anatomyOf(bytes)!;
  const length = bytes.length - ip.headerLength;
  view.setUint16(ip.headerLength + 16, 0);
  const sum = pseudoHeaderSum(ip.source, ip.destination, PROTOCOL_TCP, length);
  view.setUint16(
    ip.headerLength + 16,
    finishChecksum(onesComplementSum(view, ip.headerLength, length, sum)),
  );
}

/** What becomes of a packet given to `Egress.commitUnfinished`. */
export function cut(bytes: Uint8Array, segmentSize: number): Uint8Array[] {
  const { ip, view, text } = anatomyOf(bytes)!;
  const { headerLength } = ip;
  const seq = view.getUint32(headerLength + 4);
  const flags = bytes[headerLength + 13]!;
  const length = bytes.length - text;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < length; at += segmentSize) {
    const isLast = at + segmentSize >= length;
    const end = isLast ? length : at + segmentSize;
    const piece = new Uint8Array(text + end - at);
    piece.set(bytes.subarray(0, text));
    piece.set(bytes.subarray(text + at, text + end), text);
    new DataView(piece.buffer).setUint32(headerLength + 4, seq + at);
    piece[headerLength + 13] = flags & ~(isLast ? 0 : FIN | PSH) & ~(at === 0 ? 0 : CWR);
    finish(piece);
    pieces.push(piece);
    if (isLast) break;
  }
  return pieces;
}

export interface Joined {
  readonly bytes: Uint8Array;
  readonly ingress: Ingress;
}

/** The most bytes of a packet. */
const LARGEST_PACKET = 65_535;

/** What comes in one after the other, each segment joined with those before it that it continues. */
export function join(packets: readonly Uint8Array[]): Joined[] {
  const joined: Joined[] = [];
  for (let first = 0; first < packets.length; ) {
    let past = first + 1;
    let total = packets[first]!.length;
    const size = sizeToJoin(packets[first]!);
    while (size > 0 && past < packets.length) {
      const before = packets[past - 1]!;
      const next = packets[past]!;
      const length = lengthToAdd(before, next, size);
      if (length === 0 || total + length > LARGEST_PACKET) break;
      total += length;
      past++;
    }
    joined.push(
      past === first + 1 ? bare(packets[first]!) : together(packets.slice(first, past), size),
    );
    first = past;
  }
  return joined;
}

/** A packet as it came. */
export function bare(bytes: Uint8Array): Joined {
  return { bytes, ingress: BARE };
}

/** Bytes of text of a segment that others can be joined to; 0: none can. */
function sizeToJoin(bytes: Uint8Array): number {
  const anatomy = anatomyOf(bytes);
  if (anatomy === undefined || !isRight(bytes, anatomy)) return 0;
  return bytes.length - anatomy.text;
}

function isRight(bytes: Uint8Array, { ip, view }: Anatomy): boolean {
  const length = bytes.length - ip.headerLength;
  const sum = pseudoHeaderSum(ip.source, ip.destination, PROTOCOL_TCP, length);
  return finishChecksum(onesComplementSum(view, ip.headerLength, length, sum)) === 0;
}

/** Bytes of text that `next` adds to what ends with `before`; 0: it cannot be joined. */
function lengthToAdd(before: Uint8Array, next: Uint8Array, size: number): number {
  const anatomy = anatomyOf(next);
  if (anatomy === undefined || !isRight(next, anatomy)) return 0;
  const { text, view } = anatomy;
  const at = anatomy.ip.headerLength;
  const length = next.length - text;
  if (length === 0 || length > size || before.length - text !== size) return 0;
  const earlier = new DataView(before.buffer, before.byteOffset, before.length);
  if ((earlier.getUint32(at + 4) + size) >>> 0 !== view.getUint32(at + 4)) return 0;
  if (before[at + 13] !== ACK && before[at + 13] !== (ACK | ECE)) return 0;
  if ((next[at + 13]! & ~PSH) !== before[at + 13]) return 0;
  for (let i = 0; i < text; i++) {
    if (before[i] !== next[i] && !differs(i, at, next[0]! >>> 4 === 4)) return 0;
  }
  return length;
}

/** Whether byte `i` of a packet may differ among those that are joined: lengths, identification, checksums, number, flags. */
function differs(i: number, tcp: number, isIpv4: boolean): boolean {
  const inTcp = i - tcp;
  if (inTcp >= 0) {
    return (inTcp >= 4 && inTcp < 8) || inTcp === 13 || inTcp === 16 || inTcp === 17;
  }
  return isIpv4 ? (i >= 2 && i < 6) || i === 10 || i === 11 : i === 4 || i === 5;
}

function together(packets: readonly Uint8Array[], segmentSize: number): Joined {
  const [first] = packets;
  const last = packets.at(-1)!;
  const { text, ip } = anatomyOf(first!)!;
  const flagsAt = ip.headerLength + 13;
  const length = packets.reduce((sum, bytes) => sum + bytes.length - text, 0);
  const bytes = new Uint8Array(text + length);
  bytes.set(first!);
  let at = text;
  for (const packet of packets) {
    bytes.set(packet.subarray(text), at);
    at += packet.length - text;
  }
  bytes[flagsAt] = last[flagsAt]!;
  finish(bytes);
  // Nobody looks at a checksum that is vouched for, and that of what a host sends itself is never finished.
  bytes[flagsAt + 3]! ^= 0x55;
  return { bytes, ingress: { isVouchedFor: true, segmentSize } };
}
