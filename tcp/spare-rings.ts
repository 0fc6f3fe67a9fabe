/** Enough for what some ten busy connections drop and take again, in rings of a few MiB. */
const MOST_BYTES_SPARED = 32 << 20;

/** Dropped rings of one size. */
interface Spares {
  readonly rings: Uint8Array[];
  /** When one was last taken or given back, on a clock of such events. */
  used: number;
}

/**
 * Rings that were dropped, at the logarithm of their size. A connection whose bytes are all taken every few milliseconds
 * drops its ring as often; to allocate and clear a new one each time was measured at 5 to 9 times the cost of the copy.
 * And whatever is allocated beside V8's heap brings V8 to mark all of the heap, which takes the longer the more connections there are: beside
 * 100,000 idle ones 0.4 s of processor, once for every 0.13 GB of bulk.
 */
const spares: readonly Spares[] = Array.from({ length: 32 }, () => ({ rings: [], used: 0 }));

let bytesSpared = 0;
let clock = 0;

/**
 * A ring of whatever bytes.
 * @param size a power of two
 */
export function takeRing(size: number): Uint8Array {
  const ring = sparesOf(size).rings.pop();
  if (ring === undefined) return new Uint8Array(size);
  bytesSpared -= size;
  return ring;
}

/** Gives back a ring that came from `takeRing` and that nobody uses any longer. */
export function spareRing(ring: Uint8Array): void {
  if (ring.length > MOST_BYTES_SPARED) return;
  const { rings } = sparesOf(ring.length);
  bytesSpared += ring.length;
  rings.push(ring);
  while (bytesSpared > MOST_BYTES_SPARED) forgetOne();
}

function sparesOf(size: number): Spares {
  const sameSize = spares[31 - Math.clz32(size)]!;
  sameSize.used = ++clock;
  return sameSize;
}

/** Of the size that nobody has asked for the longest. */
function forgetOne(): void {
  const { rings } = spares
    .filter((sameSize) => sameSize.rings.length > 0)
    .reduce((oldest, other) => (other.used < oldest.used ? other : oldest));
  bytesSpared -= rings.pop()!.length;
}
