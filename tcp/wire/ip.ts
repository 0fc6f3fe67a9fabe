import type { IpAddress } from '../address.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, Ipv4Header, parseQuotedIpv4 } from './ipv4.ts';
import { emitIpv6, IPV6_HEADER_LENGTH, Ipv6Header, parseQuotedIpv6 } from './ipv6.ts';

/** A header of either version: what is above IP asks only for what both have. */
export type IpHeader = Ipv4Header | Ipv6Header;

/** Codepoints of the ECN field (RFC 3168 section 5): ECN-capable, and congestion experienced. */
export const ECT_0 = 2;
export const CE = 3;
/** Where that field is in the traffic class, or type of service. */
export const ECN_MASK = 3;

/** The most bytes that any header has that we emit. */
export const MAX_IP_HEADER_LENGTH = IPV6_HEADER_LENGTH;

/** Kept to be used again for each packet. */
const ipv4 = new Ipv4Header();
const ipv6 = new Ipv6Header();
const quoted4 = new Ipv4Header();
const quoted6 = new Ipv6Header();

/** Which version a packet is of: the first four bits; 0 if it is empty. */
export function ipVersion(view: DataView, offset: number, length: number): number {
  return length === 0 ? 0 : view.getUint8(offset) >>> 4;
}

/**
 * Reads the headers of the packet that an ICMP error quotes at view[offset, offset + length), which may be cut short.
 * @returns undefined when they are not all there; otherwise valid until the next call
 */
export function parseQuotedIp(
  view: DataView,
  offset: number,
  length: number,
  isIpv4: boolean,
): IpHeader | undefined {
  if (isIpv4) return parseQuotedIpv4(view, offset, length, quoted4) ? quoted4 : undefined;
  return parseQuotedIpv6(view, offset, length, quoted6) ? quoted6 : undefined;
}

/** Bytes of the header of a packet to `destination`. */
export function ipHeaderLength(destination: IpAddress): number {
  return destination.isIpv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
}

/**
 * Writes the header of a packet that no router may fragment at view[offset ...]: IPv4 with DF, or IPv6.
 * @param source of the same version as `destination`
 * @param protocol assigned number
 * @param hopLimit or time to live
 * @param trafficClass or type of service
 * @param flowLabel for IPv6, 20 bits (RFC 6437); 0: none
 * @param payloadLength bytes behind the header
 * @returns how many bytes it has
 */
export function emitIp(
  view: DataView,
  offset: number,
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  hopLimit: number,
  trafficClass: number,
  flowLabel: number,
  payloadLength: number,
): number {
  if (destination.isIpv4) {
    ipv4.typeOfService = trafficClass;
    ipv4.totalLength = IPV4_HEADER_LENGTH + payloadLength;
    // RFC 6864 section 4.1: a datagram that is never fragmented needs no identification.
    ipv4.identification = 0;
    ipv4.dontFragment = true;
    ipv4.timeToLive = hopLimit;
    ipv4.protocol = protocol;
    ipv4.source = source;
    ipv4.destination = destination;
    return emitIpv4(view, offset, ipv4);
  }
  ipv6.trafficClass = trafficClass;
  ipv6.flowLabel = flowLabel;
  ipv6.payloadLength = payloadLength;
  ipv6.protocol = protocol;
  ipv6.hopLimit = hopLimit;
  ipv6.source = source;
  ipv6.destination = destination;
  return emitIpv6(view, offset, ipv6);
}
