import type { IpAddress } from './address.ts';
import { ipHeaderLength } from './wire/ip.ts';
import { TCP_HEADER_LENGTH } from './wire/tcp.ts';

/** RFC 9293 section 3.7.1 (MUST-15): what a peer that says nothing can take, bytes. */
const DEFAULT_MSS_IPV4 = 536;
const DEFAULT_MSS_IPV6 = 1220;

/** Bytes of text in a packet of `mtu` bytes to `destination`, if no header has options: an MSS (RFC 6691). */
export function mssOfMtu(mtu: number, destination: IpAddress): number {
  return mtu - ipHeaderLength(destination) - TCP_HEADER_LENGTH;
}

/** The MSS of a peer that has not sent the option. */
export function defaultMss(destination: IpAddress): number {
  return destination.isIpv4 ? DEFAULT_MSS_IPV4 : DEFAULT_MSS_IPV6;
}
