/**
 * Seeds that once failed, and what they found. A seed means what the scenario of today makes of it: each was seen to fail
 * before the fault was mended, and is run for ever after.
 */
export const FAILED_SEEDS: readonly { readonly seed: bigint; readonly found: string }[] = [
  {
    seed: 5023n,
    found:
      'An acknowledgment in text that was sent again moved SND.UNA but not SND.WND: text went beyond the window',
  },
  { seed: 5154n, found: 'The same, with a plain peer that sends crumbs' },
  { seed: 1110n, found: 'The same, between two stacks' },
];
