interface Event {
  readonly at: number;
  readonly order: number;
  run(): void;
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** What will happen, by virtual time in milliseconds; at the same time, in the order in which it was asked for. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  /** When the next event happens; Infinity: never. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** @param at a time; what is past happens now */
  at(at: number, run: () => void): void {
    const heap = this.#heap;
    const event = { at: Math.max(at, this.#now), order: this.#order++, run };
    let hole = heap.length;
    heap.push(event);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = event;
  }

  /** Lets time pass up to the next event, and it happen. False: nothing will ever happen again. */
  step(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return false;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    this.#now = first.at;
    first.run();
    return true;
  }

  /** Lets time pass up to `now`, which may be that of a real clock, and everything happen until then. */
  advance(now: number): void {
    while (this.next <= now) this.step();
    this.#now = Math.max(this.#now, now);
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = event;
  }
}
