/** How long nobody was there, in milliseconds. */
export interface Absence {
  /** What the clock said when the restored state was current. It may have been another clock than now: each boot has its own. */
  readonly began: number;
  /** How long ago that was at least, and as far as one can tell. */
  readonly atLeast: number;
  readonly estimate: number;
}
