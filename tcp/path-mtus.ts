import { formatAddress, type IpAddress } from './address.ts';

/** How long it holds that a path has a smaller MTU than our link: RFC 1191 section 6.3, RFC 8201 section 5.3, milliseconds. */
const LASTS = 600_000;
/** More are forgotten, the oldest first: whoever forges messages from many hosts costs no more memory. */
const MOST = 1024;

/** What has been told of a path. */
export interface PathMtu {
  /** Bytes of the largest packet. */
  readonly mtu: number;
  readonly toldAt: number;
}

/**
 * What ICMP has told of the paths to other hosts, for the connections that begin later (RFC 1191 section 6.2, RFC 8201 section
 * 5.2). After a restore it is told again.
 */
export class PathMtus {
  readonly #paths = new Map<string, PathMtu>();

  /** Packets to `destination` can have `mtu` bytes at most. */
  learn(destination: IpAddress, mtu: number, now: number): void {
    const key = formatAddress(destination);
    // The map's order is that of age.
    this.#paths.delete(key);
    this.#paths.set(key, { mtu, toldAt: now });
    if (this.#paths.size <= MOST) return;
    const [oldest] = this.#paths.keys();
    this.#paths.delete(oldest!);
  }

  find(destination: IpAddress, now: number): PathMtu | undefined {
    if (this.#paths.size === 0) return undefined;
    const key = formatAddress(destination);
    const path = this.#paths.get(key);
    if (path === undefined || now - path.toldAt < LASTS) return path;
    this.#paths.delete(key);
    return undefined;
  }
}
