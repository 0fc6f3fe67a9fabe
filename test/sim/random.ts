const U64 = (1n << 64n) - 1n;

/** SplitMix64 (G. Steele and others, _Fast Splittable Pseudorandom Number Generators_, 2014): one step. */
function splitmix64(state: bigint): bigint {
  let mixed = (state + 0x9e3779b97f4a7c15n) & U64;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & U64;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & U64;
  return mixed ^ (mixed >> 31n);
}

/** xoshiro128** (D. Blackman and S. Vigna, 2018), from a seed of 64 bits. */
export class Random {
  readonly #seed: bigint;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: bigint) {
    this.#seed = seed & U64;
    const low = splitmix64(this.#seed);
    const high = splitmix64(low);
    this.#a = Number(low & 0xffffffffn);
    this.#b = Number(low >> 32n);
    this.#c = Number(high & 0xffffffffn);
    this.#d = Number(high >> 32n);
  }

  /** Another generator that depends on the seed and `label` only: what is drawn for one thing never shifts another. */
  fork(label: string): Random {
    let hash = this.#seed;
    for (let i = 0; i < label.length; i++) hash = splitmix64(hash ^ BigInt(label.charCodeAt(i)));
    return new Random(hash);
  }

  u32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  /** An integer of 0 to n - 1. */
  below(n: number): number {
    return Math.floor(this.fraction() * n);
  }

  /** An integer of `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** A number of `low` to `high`, both above 0, each order of magnitude as likely as the next. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.fraction();
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
