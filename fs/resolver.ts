import type { Network } from '../tcp/address.ts';
import { ErrnoError } from '../tcp/errno.ts';
import type { Attempt } from './attempt.ts';

/** Who knows what the names of hosts and services stand for. */
export interface Resolver {
  /** The port of a service, undefined if there is none of that name. */
  port(service: string, network: Network): number | undefined;
  /**
   * The addresses of a host, at least one, in the order in which they should be tried.
   * @param waiter the id of the connection to be attempted again when BLOCKED is over; 0 for what belongs to none
   * @throws ErrnoError ENOENT no host has this name; ETIMEDOUT nobody who knows answers; EHOSTUNREACH who answers does not
   * know. The message says more
   */
  addresses(host: string, waiter: number, now: number): Attempt<readonly string[]>;
}

/** Knows nothing. */
export const NO_NAMES: Resolver = {
  port: () => undefined,
  addresses: () => {
    throw new ErrnoError('ENOENT');
  },
};
