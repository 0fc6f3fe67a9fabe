/** A move of all connections of a host to another one with the same address. Times are milliseconds. */
export interface MovePlan {
  /** When it is tried first. */
  readonly at: number;
  /** From when the files are there until they are brought in. */
  readonly carrying: number;
  /** From then until packets come to the new host. */
  readonly routing: number;
  /** Whether an engine dies in the turn in which they are to leave, or to arrive. */
  readonly diesLeaving: boolean;
  readonly diesArriving: boolean;
  /** Whether the files are asked for again, of the next engine. */
  readonly asksAgain: boolean;
  /** Whether the old host is told that it has done its part. */
  readonly forgets: boolean;
}
