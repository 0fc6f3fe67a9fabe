/**
 * Arithmetic of sequence numbers: u32 numbers on a circle of 2**32, compared by the shorter way
 * around (RFC 9293 section 3.4). Comparisons mean something only for numbers less than 2**31 apart.
 */

/** `a + n` modulo 2**32; `n` is any exact integer, also negative. */
export function seqAdd(a: number, n: number): number {
  return (a + n) >>> 0;
}

/** The signed distance from `b` to `a`, -2**31 to 2**31 - 1. */
export function seqSub(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqLessThan(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqLessOrEqual(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function seqMax(a: number, b: number): number {
  return seqLessThan(a, b) ? b : a;
}

export function seqMin(a: number, b: number): number {
  return seqLessThan(b, a) ? b : a;
}

/** Whether `left <= seq < left + size`, for a window of 0 to 2**32 - 1 numbers. */
export function seqInWindow(seq: number, left: number, size: number): boolean {
  return (seq - left) >>> 0 < size;
}
