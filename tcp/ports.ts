import type { IpAddress } from './address.ts';
import { tupleHash } from './tuple-hash.ts';

/** The default range of Linux (net.ipv4.ip_local_port_range), first and last port. */
export const EPHEMERAL_PORTS = { first: 32768, last: 60999 } as const;

/**
 * A local port for a connection to `remote`, by simple hash-based selection (RFC 6056 section 3.3.3, algorithm 3): the
 * search begins at a place that differs for each remote end and cannot be guessed without the secret, and goes up
 * with `counter`, so that a port is used again as late as possible.
 * @param counter how many ports have been asked for before
 * @param inUse whether a port cannot be had for this connection
 * @returns undefined when none in the range is free
 */
export function ephemeralPort(
  secret: Uint8Array,
  local: IpAddress,
  remote: IpAddress,
  remotePort: number,
  counter: number,
  inUse: (port: number) => boolean,
  range: { readonly first: number; readonly last: number } = EPHEMERAL_PORTS,
): number | undefined {
  const count = range.last - range.first + 1;
  const begin = tupleHash(secret, 'port', local, 0, remote, remotePort) + counter;
  for (let tried = 0; tried < count; tried++) {
    const port = range.first + ((begin + tried) % count);
    if (!inUse(port)) return port;
  }
  return undefined;
}
