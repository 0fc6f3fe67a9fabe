import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import { cutIntoFragments } from './wire/fragments.ts';
import { emitIcmp, ICMP_HEADER_LENGTH, type IcmpVersion } from './wire/icmp.ts';
import { ICMPV4 } from './wire/icmpv4.ts';
import { ICMPV6 } from './wire/icmpv6.ts';
import { emitIp, ipHeaderLength } from './wire/ip.ts';

const HOP_LIMIT = 64;

/** The ICMP of the version of IP that `address` is of. */
export function icmpOf(address: IpAddress): IcmpVersion {
  return address.isIpv4 ? ICMPV4 : ICMPV6;
}

/** Sends a message whose payload is bytes[from, from + length). */
export function sendIcmp(
  host: Host,
  destination: IpAddress,
  type: number,
  code: number,
  parameter: number,
  bytes: Uint8Array,
  from: number,
  length: number,
): void {
  host.counters.IcmpOutMsgs++;
  const { protocol, pseudoHeaderSum } = icmpOf(destination);
  const source = host.addressTowards(destination);
  const size = ICMP_HEADER_LENGTH + length;
  const packet = new Uint8Array(ipHeaderLength(destination) + size);
  const view = new DataView(packet.buffer);
  const at = emitIp(view, 0, source, destination, protocol, HOP_LIMIT, 0, 0, size);
  const sum = pseudoHeaderSum(source, destination, size);
  emitIcmp(packet, view, at, type, code, parameter, bytes, from, length, sum);
  // A reply has all that was asked, however long (RFC 1122 section 3.2.2.6).
  const isTooLong = packet.length > host.mtu;
  const parts = isTooLong
    ? cutIntoFragments(packet, host.mtu, host.identifications.next(destination))
    : [packet];
  for (const part of parts) host.replies.push(part, destination);
}
