import { randomInt } from 'node:crypto';
import { seeded } from '../seeded.ts';

/** Random input for a test. `SEED=n` in the environment repeats a run; say `seed` in the test's output. */
export class Random {
  readonly seed: number;
  readonly #next: (bound: number) => number;

  /** @param seed where SEED does not say another; without it a new one each time */
  constructor(seed = randomInt(2 ** 32)) {
    const { SEED } = process.env;
    this.seed = SEED === undefined ? seed : Number(SEED);
    this.#next = seeded(this.seed);
  }

  u32(): number {
    return this.#next(2 ** 32);
  }

  /** An integer of 0 to n - 1. */
  below(n: number): number {
    return this.#next(n);
  }

  /** An integer of `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.#next(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.#next(2 ** 32) < probability * 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next(256));
  }
}
