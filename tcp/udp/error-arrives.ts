import type { IpAddress } from '../address.ts';
import type { Host } from '../host.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import { isPeer } from './udp-arrives.ts';
import type { UdpPcb } from './udp-pcb.ts';

/** Both ports, of a quoted UDP header, and where in it the second is. */
const QUOTED_PORTS_LENGTH = 4;
export const QUOTED_DESTINATION_PORT = 2;

/**
 * The socket that an ICMP error is about.
 * @param at where the quoted UDP header is in `view`
 * @param length how many bytes of it are there
 * @param source of the quoted packet: us, if it is a true one
 */
export function senderOfQuote(
  host: Host,
  view: DataView,
  at: number,
  length: number,
  source: IpAddress,
): UdpPcb | undefined {
  return length < QUOTED_PORTS_LENGTH
    ? undefined
    : host.udpSockets.find(source, view.getUint16(at));
}

/**
 * A datagram of `pcb` has not arrived. Only who has one peer can know what that is about (RFC 1122 section 4.1.3.3, RFC 8085 section
 * 5.2), so nobody else is told.
 * @param port of `destination`
 * @param errno 0: no error of the socket
 */
export function udpErrorArrives(
  host: Host,
  pcb: UdpPcb,
  destination: IpAddress,
  port: number,
  errno: number,
): void {
  if (errno === 0 || !isPeer(pcb, destination, port)) return;
  pcb.ERROR = errno;
  host.changed(pcb);
}

/**
 * A datagram was longer than some link's MTU (RFC 8201): the next ones are cut. Whoever forges that gains only that they are cut at
 * what every path carries.
 */
export function datagramTooBig(
  host: Host,
  destination: IpAddress,
  nextHopMtu: number,
  now: number,
): void {
  // Over IPv4, datagrams may be fragmented on their way, and nobody has reason to tell.
  if (destination.isIpv4 || nextHopMtu < IPV6_MIN_MTU) return;
  host.datagramPathMtus.learn(destination, nextHopMtu, now);
}
