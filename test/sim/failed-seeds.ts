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
  {
    seed: 4894602574523944391n,
    found:
      'The reset of an abort after a restore had a number beyond the window: of text that was queued and never sent',
  },
  {
    seed: 11166879338247970740n,
    found:
      'A SYN,ACK that goes out again behind a FIN or an ACK had a window of more than 16 bits, and no engine survived it',
  },
  { seed: 1110n, found: 'The same, between two stacks' },
  {
    seed: 3142398259834003246n,
    found:
      'New text of F-RTO that a peer without SACK had no room for was not sent again before the next timeout',
  },
  {
    seed: 3203454013799947647n,
    found:
      'Two restored stacks had each filled the window of the other, and neither took the ACKs of the other, at its right edge',
  },
  {
    seed: 1758n,
    found:
      'A window that closed before all in flight counted as lost left no timer running: nothing would ever have happened again',
  },
];
