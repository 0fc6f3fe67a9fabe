import { CE, ECN_MASK } from '../tcp/wire/ip.ts';
import { emitIpv4, Ipv4Header, parseIpv4 } from '../tcp/wire/ipv4.ts';

/** Bit 20 to 27 of an IPv6 header are its traffic class: here is the ECN field. */
const IPV6_ECN_AT = 1;
const IPV6_ECN_SHIFT = 4;

/** The ECN field of an IP packet without options (RFC 3168 section 5). */
export function ecnOf(bytes: Uint8Array): number {
  return isIpv4(bytes) ? bytes[1]! & ECN_MASK : (bytes[IPV6_ECN_AT]! >>> IPV6_ECN_SHIFT) & ECN_MASK;
}

/**
 * What a router does to a packet when its queue grows: an ECN-capable one is marked.
 * @returns whether it is
 */
export function mark(bytes: Uint8Array): boolean {
  if (ecnOf(bytes) === 0) return false;
  if (isIpv4(bytes)) markIpv4(bytes);
  else bytes[IPV6_ECN_AT]! |= CE << IPV6_ECN_SHIFT;
  return true;
}

function isIpv4(bytes: Uint8Array): boolean {
  return bytes[0]! >>> 4 === 4;
}

function markIpv4(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = new Ipv4Header();
  if (!parseIpv4(view, 0, bytes.length, header)) throw new Error('no IPv4 packet');
  header.typeOfService |= CE;
  emitIpv4(view, 0, header);
}
