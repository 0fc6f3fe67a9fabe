import type { Attempt, Call } from '../../fs/attempt.ts';
import type { Tree } from '../../fs/tree.ts';
import type { Polls } from './polls.ts';
import type { Request } from './request.ts';

/** As much of the tree as the protocol needs. */
export type ServedTree = Pick<
  Tree,
  | 'lookup'
  | 'getattr'
  | 'validity'
  | 'setattr'
  | 'readdir'
  | 'create'
  | 'mkdir'
  | 'rmdir'
  | 'open'
  | 'read'
  | 'write'
  | 'takeBack'
  | 'release'
  | 'poll'
  | 'news'
  | 'connectionOf'
  | 'takeOutdated'
  | 'openWaitsOn'
  | 'settle'
>;

/** What an operation works on, and where it writes the body of its reply. One object, used again for each request. */
export interface Service {
  readonly tree: ServedTree;
  readonly polls: Polls;
  /** Who asks, when, and how. */
  readonly call: Call;
  /** Memory for the reply's body. */
  readonly bytes: Uint8Array;
  /** Over the same memory as `bytes`, from its first byte. */
  readonly view: DataView;
  /** Where the body begins in it. */
  readonly start: number;
  /** How many bytes there are for it. */
  readonly room: number;
}

/** How an operation waits. */
export interface Blocking {
  /** Whether this request is to be answered EAGAIN rather than wait. */
  nonblocking(request: Request): boolean;
  /** Takes back what a blocked attempt left a note of, for a program that waits no more. Without it, that goes on. */
  abandon?(request: Request, service: Service): void;
}

/** One opcode. */
export interface Operation {
  /** Bytes that the request has after its header, at the least; fewer are answered EINVAL. */
  readonly minimum: number;
  /** The kernel expects no reply, so there is nothing to do. */
  readonly silent?: true;
  /**
   * Bytes that the reply may have after its header, at the most.
   * @param limit bytes that fit the largest reply
   */
  room(request: Request, limit: number): number;
  /**
   * Whether the answer is journaled with what it did, so that the same request, delivered again, has it back instead of doing
   * it again.
   */
  readonly effect: boolean;
  /** The tree's number of the open file that a request is about. Without it, it is about its node. */
  readonly handle?: (request: Request) => number;
  /** Only for an operation that may be put off, and then be interrupted. */
  readonly blocking?: Blocking;
  /**
   * Makes one attempt and writes the reply's body.
   * @returns the bytes written, or BLOCKED
   * @throws ErrnoError what the reply says instead
   */
  serve(request: Request, service: Service): Attempt<number>;
}
