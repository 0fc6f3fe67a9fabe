import type { Attempt, Call } from '../../fs/attempt.ts';
import type { Reply } from './package.ts';

/** What libfuse is told: 0 or a count, and what was asked for. */
export type Answer = readonly [result: number, ...values: unknown[]];

/** What one thread of libfuse waits for. */
export interface NativeRequest {
  readonly reply: Reply;
  /** The tree's handle of the open file that it is about; 0: it is about a path. */
  readonly handle: number;
  readonly path: string;
  /** The flags of open(2), as they are for this request. */
  readonly flags: number;
  /** Whether it may change something. */
  readonly effect: boolean;
  /** See `Call.note`. That of an OPEN is the handle that it will have. */
  note: number;
  /**
   * Makes one attempt.
   * @param node that of the path; 0 for an open file
   * @throws ErrnoError
   */
  serve(node: number, call: Call): Attempt<Answer>;
}
