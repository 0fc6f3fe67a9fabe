import type { Endpoint } from '../tcp/address.ts';
import { assert } from '../tcp/assert.ts';
import { ErrnoError } from '../tcp/errno.ts';

/**
 * Does something with the first of a host's endpoints with which it can be done.
 * @throws ErrnoError why it cannot be with the last
 */
export function withFirst(endpoints: readonly Endpoint[], act: (endpoint: Endpoint) => void): void {
  assert(endpoints.length > 0, 'a host has an address');
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      act(endpoint);
      return;
    } catch (error) {
      if (!(error instanceof ErrnoError) || index === endpoints.length - 1) throw error;
    }
  }
}
