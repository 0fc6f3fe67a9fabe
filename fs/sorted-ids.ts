/**
 * Ids in ascending order. They come nearly in order, so putting one in place moves few others.
 */
export class SortedIds {
  readonly #ids: number[] = [];

  /** Puts in `id`, which is not there yet. */
  add(id: number): void {
    if (id > (this.#ids.at(-1) ?? 0)) this.#ids.push(id);
    else this.#ids.splice(this.#above(id), 0, id);
  }

  delete(id: number): void {
    const index = this.#above(id) - 1;
    if (this.#ids[index] === id) this.#ids.splice(index, 1);
  }

  /** The ids above `id`. The set may change between steps; what is there all the time comes exactly once. */
  *after(id: number): Generator<number> {
    let last = id;
    for (;;) {
      const next = this.#ids[this.#above(last)];
      if (next === undefined) return;
      yield next;
      last = next;
    }
  }

  /** The index of the first id above `id`. */
  #above(id: number): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
