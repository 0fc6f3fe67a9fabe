import { isIPv6 } from 'node:net';

/**
 * IPv6 as bytes, written a second time from RFC 8200 and plainly, like the scripts' IPv4: what the engine does wrong both when
 * it writes and when it reads would go unseen otherwise.
 */

export const NEXT_HEADER = {
  hopByHop: 0,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  icmp: 58,
  none: 59,
  destination: 60,
} as const;

/** An extension header: what announces it, and its bytes behind the first, which says what follows. */
export interface Extension {
  readonly type: number;
  readonly rest: Uint8Array;
}

export interface Ipv6 {
  readonly source: string;
  readonly destination: string;
  readonly extensions: readonly Extension[];
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** @param address without a dotted quad in it */
export function addressBytes6(address: string): Uint8Array {
  if (!isIPv6(address)) throw new Error(`no IPv6 address: ${address}`);
  const [head = '', tail] = address.split('::');
  const groups = (side: string) => (side === '' ? [] : side.split(':'));
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail ?? '')];
  return Uint8Array.from(Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex'));
}

export function writeIpv6({
  source,
  destination,
  extensions,
  protocol,
  payload,
}: Ipv6): Uint8Array {
  const announced = [...extensions.map(({ type }) => type), protocol];
  const behind = extensions.flatMap(({ rest }, i) => [announced[i + 1]!, ...rest]);
  const length = behind.length + payload.length;
  return Uint8Array.from([
    ...[0x60, 0, 0, 0, length >> 8, length & 255, announced[0]!, 64],
    ...addressBytes6(source),
    ...addressBytes6(destination),
    ...behind,
    ...payload,
  ]);
}

/** RFC 8200 section 4.5. */
export function fragmentHeader(offset: number, isMore: boolean, identification: number): Extension {
  const rest = new Uint8Array(7);
  const view = new DataView(rest.buffer);
  view.setUint16(1, offset | (isMore ? 1 : 0));
  view.setUint32(3, identification);
  return { type: NEXT_HEADER.fragment, rest };
}

/** Options that ask for nothing, in 8 bytes (RFC 8200 section 4.2): PadN. */
export function padding(type: number): Extension {
  return { type, rest: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) };
}

/** RFC 8200 section 8.1. */
export function pseudoHeader6(
  source: string,
  destination: string,
  protocol: number,
  length: number,
): Uint8Array {
  return Uint8Array.from([
    ...addressBytes6(source),
    ...addressBytes6(destination),
    ...[length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255],
    ...[0, 0, 0, protocol],
  ]);
}

/** What a packet without extension headers, or with a fragment header alone, says. */
export interface Ipv6Read {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly isFragment: boolean;
  readonly payload: Uint8Array;
}

/** @throws Error it is no such packet */
export function readIpv6(bytes: Uint8Array): Ipv6Read {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 40 || bytes[0]! >>> 4 !== 6) throw new Error('no IPv6 header');
  if (view.getUint16(4) !== bytes.length - 40) throw new Error('the payload length is not right');
  const isFragment = bytes[6] === NEXT_HEADER.fragment;
  const protocolAt = isFragment ? 40 : 6;
  return {
    source: addressText(bytes.subarray(8, 24)),
    destination: addressText(bytes.subarray(24, 40)),
    protocol: bytes[protocolAt]!,
    isFragment,
    payload: bytes.slice(isFragment ? 48 : 40),
  };
}

/** All eight groups. */
function addressText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').match(/.{4}/g)!.join(':');
}
