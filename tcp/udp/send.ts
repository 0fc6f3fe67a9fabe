import type { IpAddress } from '../address.ts';
import { DURABILITIES } from '../durability.ts';
import type { Host } from '../host.ts';
import { TcpError } from '../tcp-error.ts';
import { cutIntoFragments, MAX_PACKET_LENGTH } from '../wire/fragments.ts';
import { emitIp, ipHeaderLength } from '../wire/ip.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { emitUdp, UDP_HEADER_LENGTH } from '../wire/udp.ts';
import { bindFor } from './bind.ts';
import { tellError } from './tell-error.ts';
import type { UdpPcb } from './udp-pcb.ts';

/** Where a datagram is to go. */
export interface Destination {
  readonly address: IpAddress;
  readonly port: number;
  /** Which of the stack's own addresses it is to leave from; undefined or unspecified: any. */
  readonly from?: IpAddress;
}

/**
 * Sends one datagram, in fragments if it does not fit into a packet. It leaves with the next `transmit` that has room.
 * @param to undefined: to the peer, or where `setDestination` has said, or back to where the datagram came from that was read last
 * @returns false when too many bytes of this socket wait to leave; nothing has been sent
 * @throws TcpError an error of the peer that nobody has been told; EDESTADDRREQ nobody to send to; EMSGSIZE too long for UDP;
 * EINVAL to port 0; ENETUNREACH not an address of one host; EAFNOSUPPORT bound to an address of the other version of IP;
 * EADDRNOTAVAIL not from an address of ours; EAGAIN no local port is free; ENOBUFS no memory
 */
export function send(
  host: Host,
  pcb: UdpPcb,
  payload: Uint8Array,
  now: number,
  to?: Destination,
): boolean {
  tellError(host, pcb);
  const { address, port, from } = to ?? destinationOf(pcb);
  if (port === 0) throw new TcpError('EINVAL');
  if (payload.length > longestPayload(address)) throw new TcpError('EMSGSIZE');
  const local = bindFor(host, pcb, address, port);
  if (from?.isUnspecified === false && !from.equals(local)) throw new TcpError('EADDRNOTAVAIL');
  if (!pcb.isWritable) return false;
  const packet = packetOf(pcb, local, address, port, payload);
  if (!pcb.canAfford(packet.length)) throw new TcpError('ENOBUFS');
  const departures = host.departures[DURABILITIES[pcb.DURABILITY]!];
  for (const part of partsOf(host, packet, address, now)) {
    departures.add({ packet: part, destination: address, sender: pcb });
  }
  host.counters.UdpOutDatagrams++;
  return true;
}

function destinationOf(pcb: UdpPcb): Destination {
  if (pcb.REMOTE_PORT !== 0) return { address: pcb.remoteAddress, port: pcb.REMOTE_PORT };
  if (pcb.SOURCE_PORT === 0) throw new TcpError('EDESTADDRREQ');
  return { address: pcb.sourceAddress, port: pcb.SOURCE_PORT };
}

/** Bytes: IPv4 counts its header in the length of a packet, and IPv6 does not. */
function longestPayload(destination: IpAddress): number {
  return MAX_PACKET_LENGTH - UDP_HEADER_LENGTH - (destination.isIpv4 ? IPV4_HEADER_LENGTH : 0);
}

function packetOf(
  pcb: UdpPcb,
  local: IpAddress,
  remote: IpAddress,
  port: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = UDP_HEADER_LENGTH + payload.length;
  const at = ipHeaderLength(remote);
  const packet = new Uint8Array(at + length);
  const view = new DataView(packet.buffer);
  packet.set(payload, at + UDP_HEADER_LENGTH);
  emitIp(view, 0, local, remote, PROTOCOL_UDP, pcb.TTL, pcb.TOS, 0, length);
  emitUdp(view, at, local, pcb.LOCAL_PORT, remote, port, payload.length);
  return packet;
}

/**
 * As fragments, of which there may be but one: then, over IPv4, routers may cut it. They tell nobody of it, so that no forged message
 * makes us cut what need not be; over IPv6 they must tell, and we cut at no less than what every path carries.
 */
function partsOf(
  host: Host,
  packet: Uint8Array<ArrayBuffer>,
  destination: IpAddress,
  now: number,
): Uint8Array[] {
  const mtu = Math.min(host.mtu, host.datagramPathMtus.find(destination, now)?.mtu ?? Infinity);
  if (!destination.isIpv4 && packet.length <= mtu) return [packet];
  return cutIntoFragments(packet, mtu, host.identifications.next(destination));
}
