import { checksum } from './packet.ts';

/** Which bytes of a packet's payload a fragment has: [left, right); no right is the end. */
export interface FragmentNotation {
  readonly left: number;
  readonly right: number | undefined;
}

/** Parses `L:R,L:R,...`. */
export function parseFragments(text: string): FragmentNotation[] {
  return text.split(',').map((range) => {
    const [, left, right] = /^(\d+):(\d*)$/.exec(range) ?? [];
    if (left === undefined) throw new Error(`no fragment: ${range}`);
    return { left: Number(left), right: right === '' ? undefined : Number(right) };
  });
}

/** The fragments of an IPv4 packet (RFC 791 section 3.2): all but that with the end say that more follow. */
export function cut(packet: Uint8Array, fragments: readonly FragmentNotation[]): Uint8Array[] {
  const headerLength = (packet[0]! & 15) * 4;
  return fragments.map(({ left, right }) => {
    const payload = packet.subarray(headerLength + left, headerLength + (right ?? packet.length));
    const bytes = new Uint8Array(headerLength + payload.length);
    bytes.set(packet.subarray(0, headerLength));
    bytes.set(payload, headerLength);
    const view = new DataView(bytes.buffer);
    view.setUint16(2, bytes.length);
    view.setUint16(6, (right === undefined ? 0 : 0x2000) | (left >>> 3));
    view.setUint16(10, 0);
    view.setUint16(10, checksum(bytes.subarray(0, headerLength)));
    return bytes;
  });
}
