/** Per size, so that the rings of a busy moment do not stay for ever. */
const MOST_BYTES_SPARED = 2 << 20;

/**
 * Rings that were dropped, at the logarithm of their size. A connection whose bytes are all taken every few milliseconds
 * drops its ring as often; to allocate and clear a new one each time was measured at 5 to 9 times the cost of the copy.
 */
const spares: Uint8Array[][] = Array.from({ length: 32 }, () => []);

/**
 * A ring of whatever bytes.
 * @param size a power of two
 */
export function takeRing(size: number): Uint8Array {
  return spares[31 - Math.clz32(size)]!.pop() ?? new Uint8Array(size);
}

/** Gives back a ring that came from `takeRing` and that nobody uses any longer. */
export function spareRing(ring: Uint8Array): void {
  const sameSize = spares[31 - Math.clz32(ring.length)]!;
  if ((sameSize.length + 1) * ring.length <= MOST_BYTES_SPARED) sameSize.push(ring);
}
