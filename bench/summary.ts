/** What the rounds of one measurement come to. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @param values at least one */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

/** Three digits that mean something, and no power of ten. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 4));
}
