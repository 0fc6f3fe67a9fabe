import type { Stack } from '../../tcp/stack.ts';

/** A program on a host: what it does follows from its plan, the time, and what the stack tells it. */
export interface Program {
  /** It has nothing more to do. */
  readonly isDone: boolean;
  /**
   * Does what can be done without waiting.
   * @param now virtual time
   * @param clock the stack's time
   * @returns when it wants to act next, if nothing else happens
   */
  act(stack: Stack, now: number, clock: number): number;
  /**
   * Whether calls have been answered since the last time of which nothing is in the record of a socket, so that the answers have to be
   * journaled by themselves.
   */
  takeAnswered(): boolean;
  /** What becomes durable with its calls. */
  snapshot(): unknown;
  /** The engine has died, and what came after `snapshot` has not happened. */
  rollBack(snapshot: unknown): void;
  /** For how long its host may be frozen, milliseconds, without somebody giving up who would not be wrong to. */
  patience(stack: Stack): number;
  /** Whether it can go on on another host. */
  readonly isMovable: boolean;
  /** It is about to leave for another host. */
  departs(stack: Stack, clock: number): void;
  /** It goes on on another host. @param ids of the connections there, by those that they had */
  arrives(ids: ReadonlyMap<number, number>): void;
}
