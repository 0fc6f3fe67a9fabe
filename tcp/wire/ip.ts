import type { IpAddress } from '../address.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, Ipv4Header } from './ipv4.ts';
import { emitIpv6, IPV6_HEADER_LENGTH, Ipv6Header } from './ipv6.ts';

/** The most bytes that any header has that we emit. */
export const MAX_IP_HEADER_LENGTH = IPV6_HEADER_LENGTH;

/** Kept to be used again for each packet. */
const ipv4 = new Ipv4Header();
const ipv6 = new Ipv6Header();

/** Which version a packet is of: the first four bits; 0 if it is empty. */
export function ipVersion(view: DataView, offset: number, length: number): number {
  return length === 0 ? 0 : view.getUint8(offset) >>> 4;
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
    ipv4.source = source.ipv4;
    ipv4.destination = destination.ipv4;
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
