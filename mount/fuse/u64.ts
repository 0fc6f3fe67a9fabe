const TWO_TO_32 = 0x1_0000_0000;

/**
 * A 64-bit field as a number. Node ids, handles and request numbers are counters that start small, and a counter
 * reaches 2^53 after centuries; offsets are bounded by what the kernel allows a file.
 */
export function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * TWO_TO_32 + view.getUint32(offset, true);
}

export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_TO_32), true);
}
