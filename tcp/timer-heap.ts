import { assert } from './assert.ts';

/** What may stand in a `TimerHeap`. The position is kept in the item, so that an unarmed one costs nothing more. */
export interface TimerItem {
  /** -1 while no deadline is set; belongs to the heap. */
  heapIndex: number;
}

/**
 * Items in order of their deadlines: a binary min-heap (J. Williams, _Algorithm 232: Heapsort_, 1964).
 * An item stands in it at most once and in one heap only. Deadlines are of any one clock.
 */
export class TimerHeap<T extends TimerItem> {
  readonly #deadlines: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest deadline; Infinity when none is set. */
  get peekDeadline(): number {
    return this.#deadlines[0] ?? Infinity;
  }

  /** The deadline of `item`; Infinity when none is set. */
  deadlineOf(item: T): number {
    return item.heapIndex < 0 ? Infinity : this.#deadlines[item.heapIndex]!;
  }

  /** Arms `item`, or moves its deadline. Infinity disarms it. */
  set(item: T, deadline: number): void {
    assert(!Number.isNaN(deadline), 'a deadline is a number');
    if (deadline === Infinity) {
      this.remove(item);
      return;
    }
    const index = item.heapIndex < 0 ? this.#items.length : item.heapIndex;
    this.#place(item, deadline, index);
  }

  /** Disarms `item`, if it is armed. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    assert(this.#items[index] === item, 'an armed item knows its place in the heap');
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    const deadline = this.#deadlines.pop()!;
    if (last !== item) this.#place(last, deadline, index);
  }

  /** Takes out an item whose deadline is `now` or earlier, the earliest first. */
  popDue(now: number): T | undefined {
    if (this.peekDeadline > now) return undefined;
    const item = this.#items[0]!;
    this.remove(item);
    return item;
  }

  /** Puts `item` at `index`, which is free or its own, then moves it to where the order wants it. */
  #place(item: T, deadline: number, index: number): void {
    let hole = index;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#deadlines[parent]! <= deadline) break;
      this.#move(parent, hole);
      hole = parent;
    }
    for (let child = 2 * hole + 1; child < this.#items.length; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < this.#items.length && this.#deadlines[right]! < this.#deadlines[child]!) {
        child = right;
      }
      if (this.#deadlines[child]! >= deadline) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#deadlines[hole] = deadline;
    this.#items[hole] = item;
    item.heapIndex = hole;
  }

  #move(from: number, to: number): void {
    const item = this.#items[from]!;
    this.#deadlines[to] = this.#deadlines[from]!;
    this.#items[to] = item;
    item.heapIndex = to;
  }
}
