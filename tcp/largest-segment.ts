import type { IpAddress } from './address.ts';
import type { Pcb } from './pcb.ts';
import { timestampsSize } from './timestamps.ts';
import { ipHeaderLength } from './wire/ip.ts';
import { TCP_HEADER_LENGTH } from './wire/tcp.ts';

/** RFC 9293 section 3.7.1 (MUST-15): what a peer that says nothing can take, bytes. */
const DEFAULT_MSS_IPV4 = 536;
const DEFAULT_MSS_IPV6 = 1220;

/** Linux's TCP_MIN_SND_MSS: a smaller one would make us send mostly headers (CVE-2019-11479). */
export const MIN_MSS = 48;

/** Bytes of text in a packet of `mtu` bytes to `destination`, if no header has options: an MSS (RFC 6691). */
export function mssOfMtu(mtu: number, destination: IpAddress): number {
  return mtu - ipHeaderLength(destination) - TCP_HEADER_LENGTH;
}

/** The MSS that our SYN to `destination` offers: what the MTU leaves, or less if the user of `pcb` wants less (tcp(7), TCP_MAXSEG). */
export function mssToOffer(mtu: number, pcb: Pcb, destination: IpAddress): number {
  return Math.min(mssOfMtu(mtu, destination), pcb.MAXSEG || Infinity);
}

/** Bytes of text in the segment of `pcb` that is a packet of `mtu` bytes, if it reports nothing by SACK; MIN_MSS at least. */
export function textOfMtu(pcb: Pcb, mtu: number): number {
  return Math.max(MIN_MSS, mssOfMtu(mtu, pcb.remoteAddress) - timestampsSize(pcb));
}

/** The MSS of a peer that has not sent the option. */
export function defaultMss(destination: IpAddress): number {
  return destination.isIpv4 ? DEFAULT_MSS_IPV4 : DEFAULT_MSS_IPV6;
}
