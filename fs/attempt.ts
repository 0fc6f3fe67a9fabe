/** The answer of an attempt that cannot be had yet. Nothing has happened; try again when the connection changes. */
export const BLOCKED: unique symbol = Symbol('blocked');

export type Attempt<T> = T | typeof BLOCKED;

/** Who asks, when, and how: the circumstances of one operation on the tree. */
export interface Call {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  /** Milliseconds of the engine's monotonic clock. */
  readonly now: number;
  /** O_NONBLOCK, as it is set for this call. */
  readonly nonblocking: boolean;
  /**
   * 0 at the first attempt. An operation that has an effect and then blocks leaves a number other than 0, which is
   * journaled with that effect and given back at every later attempt, also by the next engine.
   */
  note: number;
  /**
   * 0 before the attempt. How many of the last bytes that a read has given would come again if the read had not happened, so that the
   * caller need not keep them: see `Stack.unacknowledged`.
   */
  returnable: number;
}
