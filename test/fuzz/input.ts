import { type Random, seeded } from '../seeded.ts';

/**
 * Choices made from bytes. While there are bytes, they decide, so that an input can be kept, cut short and changed; then
 * a generator seeded by them goes on, so that every prefix is a whole input too.
 */
export class Choices {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #random: Random;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    let seed = bytes.length;
    for (const byte of bytes) seed = Math.imul(seed ^ byte, 0x01000193) >>> 0;
    this.#random = seeded(seed);
  }

  byte(): number {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++]! : this.#random(256);
  }

  /** An integer of 0 to n - 1, n at most 2**32. */
  below(n: number): number {
    if (n <= 256) return this.byte() % n;
    if (n <= 65536) return (this.byte() * 256 + this.byte()) % n;
    return this.u32() % n;
  }

  u32(): number {
    return this.byte() * 2 ** 24 + ((this.byte() << 16) | (this.byte() << 8) | this.byte());
  }

  chance(of256: number): boolean {
    return this.byte() < of256;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}
