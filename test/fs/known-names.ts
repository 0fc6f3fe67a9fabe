import { type Attempt, BLOCKED } from '../../fs/attempt.ts';
import type { Resolver } from '../../fs/resolver.ts';
import type { Network } from '../../tcp/address.ts';
import { ErrnoError } from '../../tcp/errno.ts';

/** Knows what a test has told it. */
export class KnownNames implements Resolver {
  readonly hosts = new Map<string, readonly string[]>();
  readonly services = new Map([
    ['daytime/tcp', 13],
    ['domain/udp', 53],
  ]);
  /** Those who have been told to wait, by host. */
  readonly waiting = new Map<string, number[]>();
  /** While it is silent, everybody has to wait. */
  isSilent = false;

  port(service: string, network: Network): number | undefined {
    return this.services.get(`${service}/${network}`);
  }

  addresses(host: string, waiter: number): Attempt<readonly string[]> {
    if (this.isSilent) {
      this.waiting.set(host, [...(this.waiting.get(host) ?? []), waiter]);
      return BLOCKED;
    }
    const addresses = this.hosts.get(host);
    if (addresses === undefined) throw new ErrnoError('ENOENT', `no host is called ${host}`);
    return addresses;
  }
}
