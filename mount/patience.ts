/**
 * For how long to look for more before sleeping, milliseconds. A process that sleeps is woken in tens of microseconds, most of all when its
 * processor has gone to sleep too, and a program that has its answer asks again sooner. The kernel's own limit for the like is this one
 * (halt_poll_ns, Documentation/virt/kvm/halt-polling.rst).
 */
const LONGEST = 0.2;

/**
 * Whether it pays to look for more instead of sleeping: as long as the last two outputs were no further apart than that. So an engine that is
 * asked something now and then sleeps, and one that is asked again and again has its processor to itself.
 */
export class Patience {
  #isWorthwhile = false;
  #last = Number.NEGATIVE_INFINITY;

  /** Something has come, and what there was to say to it has left. */
  rewarded(now: number): void {
    this.#isWorthwhile = now - this.#last < LONGEST;
    this.#last = now;
  }

  /** Whether to look once more, at `now`. */
  lasts(now: number): boolean {
    return this.#isWorthwhile && now - this.#last < LONGEST;
  }
}
