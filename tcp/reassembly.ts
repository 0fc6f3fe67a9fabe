import { assert } from './assert.ts';

/** Bytes [from, to) of a stream, as stream offsets. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Which bytes beyond the end of a stream have arrived. The ranges neither overlap nor touch, and the one that
 * changed last comes first, which is the order of SACK blocks (RFC 2018 section 4).
 */
export class Reassembly {
  /** How many ranges are remembered. It bounds memory and work against a peer that sends every other byte. */
  static readonly MAX_RANGES = 64;

  #ranges: Range[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** The range that changed last first. Valid until the next call. */
  get mostRecentFirst(): readonly Range[] {
    return this.#ranges;
  }

  /**
   * Remembers that [from, to) has arrived.
   * @returns false when it was refused: it touches no range, and there is room for no other
   */
  add(from: number, to: number): boolean {
    assert(from < to, 'a range is not empty');
    let first = from;
    let last = to;
    let apart = 0;
    for (const range of this.#ranges) {
      if (range.from <= last && first <= range.to) {
        first = Math.min(first, range.from);
        last = Math.max(last, range.to);
      } else {
        this.#ranges[apart++] = range;
      }
    }
    if (apart === Reassembly.MAX_RANGES) return false;
    this.#ranges.length = apart;
    this.#ranges.unshift({ from: first, to: last });
    return true;
  }

  /** The first part of [from, to) that has arrived before, as far as it is in one range; undefined: nothing has. */
  firstCommon(from: number, to: number): Range | undefined {
    let first: Range | undefined;
    for (const range of this.#ranges) {
      const isCommon = range.from < to && from < range.to;
      if (isCommon && (first === undefined || range.from < first.from)) first = range;
    }
    return first && { from: Math.max(from, first.from), to: Math.min(to, first.to) };
  }

  /**
   * The stream has come to `end`: forgets the ranges that it reaches.
   * @returns where the stream ends together with them
   */
  advance(end: number): number {
    let reached = end;
    let beyond = 0;
    for (const range of this.#ranges) {
      if (range.from <= end) reached = Math.max(reached, range.to);
      else this.#ranges[beyond++] = range;
    }
    this.#ranges.length = beyond;
    return reached;
  }

  clear(): void {
    this.#ranges.length = 0;
  }
}
