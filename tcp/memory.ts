/**
 * What each of the three things that a connection may always have counts for, bytes: the beginning of its send buffer, of its
 * receive buffer, and of its notes on what is in flight. With it a connection gets on, slowly, whatever others take.
 */
export const GUARANTEED = 4096;
/** What a connection counts for from its beginning to its end, with its record and what hangs on that. */
const CONNECTION = 4 * GUARANTEED;
/** The rest is for connections that are yet to come. */
const GROWTH_SHARE = 3 / 4;
/** No buffer is larger than this part of what is left. */
const FAIR_SHARE = 1 / 16;

/** Memory as what takes of it sees it. */
export interface MemoryUse {
  /** Something that counted for `from` bytes counts for `to` bytes from now on. */
  count(from: number, to: number): void;
  /** For how many bytes something may count that counts for `bytes` now: at least that, and at least `GUARANTEED`. */
  most(bytes: number): number;
}

/**
 * The memory of all connections of a stack together, or of those of one user, in bytes. What a peer has been offered and has not sent counts for
 * nothing, for most connections are idle. The limit holds because all that grows asks first: a buffer may have a fixed part of what is left
 * (A. Choudhury and E. Hahne, _Dynamic Queue Length Thresholds for Shared-Memory Packet Switches_, 1998), so that few
 * may have much and many have little, and nobody has to be told to shrink.
 */
export class Memory implements MemoryUse {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether one more connection may begin. */
  get hasRoom(): boolean {
    return this.#used + CONNECTION <= this.limit;
  }

  /** A connection begins, or is counted here from now on, with what it has by now beyond what every connection counts for. */
  admit(used = 0): void {
    this.#used += CONNECTION + used;
  }

  /** A connection that was admitted has ended, or is not counted here any more. */
  dismiss(used = 0): void {
    this.#used -= CONNECTION + used;
  }

  /** @returns how many bytes more that is of what connections count for beyond their beginning */
  count(from: number, to: number): number {
    const change = beyondGuarantee(to) - beyondGuarantee(from);
    this.#used += change;
    return change;
  }

  most(bytes: number): number {
    const left = this.limit * GROWTH_SHARE - this.#used;
    return Math.max(GUARANTEED, bytes, GUARANTEED + Math.floor(left * FAIR_SHARE));
  }
}

function beyondGuarantee(bytes: number): number {
  return Math.max(0, bytes - GUARANTEED);
}
