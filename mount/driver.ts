import type { Tree } from '../fs/tree.ts';
import type { Journal } from '../persist/journal.ts';
import type { Config } from './config.ts';
import type { Mounted } from './control.ts';
import type { Readiness } from './readiness.ts';
import type { Replies } from './replies.ts';
import type { ResidentMemory } from './resident-memory.ts';
import type { Stage } from './stage.ts';

/** What carries the kernel's requests to the tree, and the answers back. */
export interface Driver {
  /** What programs on the mount have to do without, a line for each. */
  readonly limits: readonly string[];
  /**
   * Opens what the keeper holds for all engines, and what makes the mount outlive each of them.
   * @returns a descriptor; undefined when the mount is the engine's own, and dies with it
   * @throws HostError
   */
  open(): number | undefined;
  /**
   * Mounts, where that is up to the keeper.
   * @param descriptor what `open` gave
   * @throws HostError
   */
  mount(descriptor: number | undefined, config: Config): Mounted;
  /** What the next engine serves when one has died: the same mount, or one of its own. */
  afterDeath(mounted: Mounted): Mounted;
  /** The engine's side. */
  session(parts: SessionParts): Session;
}

/** What an engine's side of a driver works with. */
export interface SessionParts {
  readonly config: Config;
  readonly mounted: Mounted;
  readonly tree: Tree;
  /** With what earlier engines have left in it for this one. */
  readonly journal: Journal;
  readonly replies: Replies;
}

/** The kernel's side of the tree: requests in, answers out. Between `start` and its end it acts only within a turn. */
export interface Session {
  /** Whether the mount is gone, or its connection aborted. */
  readonly unmounted: boolean;
  /** Whether something could not be done in this turn for want of room for answers: the next turn is wanted at once. */
  readonly waiting: boolean;
  /**
   * Has requests come in, each of which brings about a turn. To be called when the engine can serve them.
   * @throws HostError, in the promise, when what is left to be mounted cannot be
   */
  start(readiness: Readiness): Promise<void>;
  /**
   * Serves the requests that have come, in order. Those that must wait are put off.
   * @param now milliseconds of the engine's clock
   */
  drain(now: number): void;
  /**
   * Goes on with what waits for a connection.
   * @param connection the id of one that has changed, or is gone
   * @param now milliseconds of the engine's clock
   */
  wake(connection: number, now: number): void;
  /** Adds to the turn that is about to be committed what the next engine must know of its answers. */
  stage(journal: Stage): void;
  /** Whether an engine after this one may learn that a READ was not delivered, and have its bytes sent again: see `Journal.isTentative`. */
  readonly isTentative: boolean;
  /** Lets an answer out that has waited in `memory`. */
  send(memory: ResidentMemory, offset: number, length: number): void;
  /** Says that all answers up to those of `turn` have been let out. */
  released(turn: number): void;
}
