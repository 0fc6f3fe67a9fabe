import { type Endpoint, type IpAddress, parseAddress } from './address.ts';
import type { ControlBlock } from './control-block.ts';
import type { Host } from './host.ts';
import { covers } from './local-sockets.ts';
import { ephemeralPort } from './ports.ts';
import { TcpError } from './tcp-error.ts';

/**
 * The address that a user wants to bind.
 * @throws TcpError EINVAL not an address, or not a port; EADDRNOTAVAIL not ours
 */
export function localAddressOf(host: Host, { address: text, port }: Endpoint): IpAddress {
  const address = parseAddress(text);
  if (address === undefined || !isPort(port)) throw new TcpError('EINVAL');
  if (!address.isUnspecified && !host.isOwn(address)) throw new TcpError('EADDRNOTAVAIL');
  return address;
}

/**
 * The address of somebody to talk to.
 * @throws TcpError EINVAL not an address, or not a port; ENETUNREACH not an address of one host
 */
export function remoteAddressOf(host: Host, { address: text, port }: Endpoint): IpAddress {
  const address = parseAddress(text);
  if (address === undefined || !isPort(port)) throw new TcpError('EINVAL');
  if (!host.isUnicast(address)) throw new TcpError('ENETUNREACH');
  return address;
}

/** Whether packets from `local` are what the user of `pcb` wants, who has chosen an address with `bind`. */
export function isBoundFor(pcb: ControlBlock, local: IpAddress): boolean {
  return covers(pcb, pcb.localAddress, local);
}

/**
 * An ephemeral port.
 * @returns undefined when none is free
 */
export function anyPort(
  host: Host,
  local: IpAddress,
  remote: IpAddress,
  remotePort: number,
  isInUse: (port: number) => boolean,
): number | undefined {
  const counter = host.portsAsked++;
  return ephemeralPort(host.secret, local, remote, remotePort, counter, isInUse);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 0xffff;
}
