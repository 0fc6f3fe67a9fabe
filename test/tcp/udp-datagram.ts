import { isIPv6 } from 'node:net';
import { addressBytes6 } from './ipv6-packet.ts';
import { addressBytes, checksum, PROTOCOL } from './scripts/packet.ts';

/**
 * UDP as bytes, written a second time from RFC 768 and plainly: what the engine does wrong both when it writes and when it reads would
 * go unseen otherwise.
 */

export interface Udp {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** The pseudo header before it: of RFC 768, or of RFC 8200 section 8.1. */
function pseudoHeader(source: string, destination: string, length: number): Uint8Array {
  if (isIPv6(source)) {
    return Uint8Array.from([
      ...addressBytes6(source),
      ...addressBytes6(destination),
      ...[0, 0, length >> 8, length & 255, 0, 0, 0, PROTOCOL.udp],
    ]);
  }
  return Uint8Array.from([
    ...addressBytes(source),
    ...addressBytes(destination),
    ...[0, PROTOCOL.udp, length >> 8, length & 255],
  ]);
}

/** Header and payload. */
export function writeUdp(udp: Udp): Uint8Array<ArrayBuffer> {
  const { source, destination, sourcePort, destinationPort, payload } = udp;
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, 8);
  view.setUint16(6, checksum(pseudoHeader(source, destination, bytes.length), bytes) || 0xffff);
  return bytes;
}

/** Of the datagram at bytes[at ...], whose checksum has to be right. */
export function readUdp(bytes: Uint8Array, at: number, source: string, destination: string): Udp {
  const datagram = bytes.slice(at);
  const view = new DataView(datagram.buffer);
  const length = view.getUint16(4);
  if (length !== datagram.length) throw new Error('UDP says another length');
  if (checksum(pseudoHeader(source, destination, length), datagram) !== 0) {
    throw new Error('UDP has a wrong checksum');
  }
  const [sourcePort, destinationPort] = [view.getUint16(0), view.getUint16(2)];
  return { source, sourcePort, destination, destinationPort, payload: datagram.slice(8) };
}
