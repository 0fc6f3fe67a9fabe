import { type Endpoint, IpAddress } from '../address.ts';
import { anyPort, isBoundFor, localAddressOf, remoteAddressOf } from '../endpoints.ts';
import type { Host } from '../host.ts';
import { TcpError } from '../tcp-error.ts';
import type { UdpPcb } from './udp-pcb.ts';

/** `::`, which stands for all addresses of the stack. */
const ANY = new IpAddress(0, 0, 0, 0);

/**
 * Gives `pcb` its local socket; the rest is as for TCP. Nobody shares a port of UDP.
 * @throws TcpError EINVAL already bound, or not an address; EADDRNOTAVAIL not ours; EADDRINUSE
 */
export function bind(host: Host, pcb: UdpPcb, local: Endpoint): void {
  if (pcb.LOCAL_PORT !== 0) throw new TcpError('EINVAL');
  const address = localAddressOf(host, local);
  const isTaken = (port: number) => host.udpSockets.isTaken(pcb, address, port);
  const port = local.port === 0 ? anyPort(host, host.address, address, 0, isTaken) : local.port;
  if (port === undefined || isTaken(port)) throw new TcpError('EADDRINUSE');
  take(host, pcb, address, port);
}

/**
 * Makes sure that `pcb` has a local socket to send from to `remote`: one that was not bound gets an ephemeral port.
 * @returns the address that packets leave from
 * @throws TcpError ENETUNREACH not an address of one host; EAFNOSUPPORT bound to an address of the other version of IP;
 * EAGAIN no port is free, as in Linux
 */
export function bindFor(host: Host, pcb: UdpPcb, remote: IpAddress, remotePort: number): IpAddress {
  if (!host.isUnicast(remote)) throw new TcpError('ENETUNREACH');
  const local = host.addressTowards(remote);
  if (pcb.LOCAL_PORT === 0) {
    const isTaken = (port: number) => host.udpSockets.isTaken(pcb, ANY, port);
    const port = anyPort(host, local, remote, remotePort, isTaken);
    if (port === undefined) throw new TcpError('EAGAIN');
    take(host, pcb, ANY, port);
  }
  if (!isBoundFor(pcb, local)) throw new TcpError('EAFNOSUPPORT');
  return local;
}

/**
 * Gives `pcb` a peer, or another one: it is sent what says of nobody else to, only it is heard, and errors are told (connect(2)).
 * @throws TcpError EINVAL not an address, or port 0; and as `bindFor`
 */
export function connect(host: Host, pcb: UdpPcb, remote: Endpoint): void {
  const address = peerAddressOf(host, remote);
  pcb.localAddress = bindFor(host, pcb, address, remote.port);
  pcb.remoteAddress = address;
  pcb.REMOTE_PORT = remote.port;
  pcb.IS_CONNECTED = 1;
  pcb.ERROR = 0;
  host.changed(pcb);
}

/**
 * Says where datagrams go that say nothing else, without a peer.
 * @param remote undefined: back to where the datagram came from that was read last
 * @throws TcpError EISCONN there is a peer; EINVAL not an address, or port 0; ENETUNREACH
 */
export function setDestination(host: Host, pcb: UdpPcb, remote: Endpoint | undefined): void {
  if (pcb.IS_CONNECTED === 1) throw new TcpError('EISCONN');
  if (remote === undefined) {
    pcb.REMOTE_PORT = 0;
    return;
  }
  pcb.remoteAddress = peerAddressOf(host, remote);
  pcb.REMOTE_PORT = remote.port;
}

function peerAddressOf(host: Host, remote: Endpoint): IpAddress {
  const address = remoteAddressOf(host, remote);
  if (remote.port === 0) throw new TcpError('EINVAL');
  return address;
}

function take(host: Host, pcb: UdpPcb, address: IpAddress, port: number): void {
  pcb.localAddress = address;
  pcb.LOCAL_PORT = port;
  host.udpSockets.add(pcb);
  host.changed(pcb);
}
