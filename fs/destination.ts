import {
  type Endpoint,
  formatAddress,
  type Network,
  parseAddress,
  parseEndpoint,
} from '../tcp/address.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { type Attempt, BLOCKED } from './attempt.ts';
import type { Resolver } from './resolver.ts';

/** Where somebody wants to connect to, as they write it. */
export interface Destination {
  /** An address without brackets, or a name. */
  readonly host: string;
  /** A number, or the name of a service. */
  readonly port: string;
}

/** The most letters of a name, and of each of its parts, as they are written (RFC 1035 section 2.3.4). */
const LONGEST_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Names of services in /etc/services are not only those that RFC 6335 section 5.1 allows. */
const SERVICE = /^(?=.*[a-z])[a-z0-9][a-z0-9._+-]{0,31}$/i;
const NUMBER = /^[0-9]{1,5}$/;

/**
 * What `text` writes: `host:port`, `[v6]:port`, `host!port` or `network!host!port`.
 * @param network the only one it may name
 */
export function parseDestination(text: string, network: Network = 'tcp'): Destination | undefined {
  const [, named = network, ...plan9] = /^(?:(tcp|udp)!)?([^!]+)!([^!]+)$/.exec(text) ?? [];
  if (named !== network) return undefined;
  const plain = /^(\[.*\]|[^:]+):([^:]+)$/.exec(text)?.slice(1);
  const [host = '', port = ''] = plan9.length > 0 ? plan9 : (plain ?? []);
  if (!isPort(port)) return undefined;
  const address = /^\[(.*:.*)\]$/.exec(host)?.[1] ?? host;
  if (parseAddress(address) !== undefined) return { host: address, port };
  return isHostName(host) ? { host, port } : undefined;
}

/**
 * The sockets that a destination stands for, in the order in which they should be tried.
 * @param network the only one it may name
 * @param waiter see `Resolver`
 * @throws ErrnoError EINVAL when the text is none, or nobody knows its service; and those of `Resolver`
 */
export function endpointsOf(
  text: string,
  network: Network,
  resolver: Resolver,
  waiter: number,
  now: number,
): Attempt<readonly Endpoint[]> {
  const endpoint = parseEndpoint(text, network);
  if (endpoint !== undefined) return [endpoint];
  const destination = parseDestination(text, network);
  if (destination === undefined)
    throw new ErrnoError('EINVAL', 'this is not the address of a host and a port');
  const port = portOf(destination, network, resolver);
  if (port === undefined)
    throw new ErrnoError(
      'EINVAL',
      `there is no service ${destination.port} over ${network.toUpperCase()}`,
    );
  const { host } = destination;
  const address = parseAddress(host);
  const addresses =
    address === undefined ? resolver.addresses(host, waiter, now) : [formatAddress(address)];
  if (addresses === BLOCKED) return BLOCKED;
  return addresses.map((address) => ({ address, port }));
}

/** The number of the port, undefined if nobody knows the service. */
export function portOf(
  { port }: Destination,
  network: Network,
  resolver: Resolver,
): number | undefined {
  return NUMBER.test(port) ? Number(port) : resolver.port(port, network);
}

function isPort(text: string): boolean {
  return NUMBER.test(text) ? Number(text) <= 0xffff : SERVICE.test(text);
}

/** A name whose last part is a number would be taken for an address, and be none (RFC 1123 section 2.1). */
function isHostName(text: string): boolean {
  const name = text.replace(/\.$/, '');
  const labels = name.split('.');
  if (name.length > LONGEST_NAME || /^[0-9]+$/.test(labels.at(-1)!)) return false;
  return labels.every((label) => LABEL.test(label));
}
