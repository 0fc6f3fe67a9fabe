import type { IpAddress } from './address.ts';

const COUNTERS = 1024;

/**
 * Identifications of packets that may be fragmented: one counter for each of many groups of destinations, each beginning anywhere. So
 * none comes again to a destination before all others have (RFC 6864 section 4.2), and what one destination sees tells nothing of
 * what nearly all others get (RFC 7739 section 5.1).
 */
export class Identifications {
  readonly #counters: Uint32Array;
  /** Random and odd, so that nobody knows which destinations share a counter. */
  readonly #keys: Uint32Array;

  /** @param entropy gives a random u32 */
  constructor(entropy: () => number) {
    this.#counters = Uint32Array.from({ length: COUNTERS }, entropy);
    this.#keys = Uint32Array.from({ length: 4 }, () => entropy() | 1);
  }

  /** For the next packet to `destination`: u32. */
  next({ word0, word1, word2, word3 }: IpAddress): number {
    const [key0, key1, key2, key3] = this.#keys;
    const hash =
      Math.imul(word0, key0!) +
      Math.imul(word1, key1!) +
      Math.imul(word2, key2!) +
      Math.imul(word3, key3!);
    const index = (hash >>> 16) & (COUNTERS - 1);
    return this.#counters[index]!++;
  }
}
