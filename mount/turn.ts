import type { Tree } from '../fs/tree.ts';
import { monotonicNow } from '../persist/clock.ts';
import { removeConnection, stageConnection } from '../persist/connections.ts';
import type { Journal } from '../persist/journal.ts';
import type { Pcb } from '../tcp/pcb.ts';
import type { Stack } from '../tcp/stack.ts';
import { crashPoint } from './crash-point.ts';
import type { Session } from './fuse/session.ts';
import type { Outbox } from './outbox.ts';
import type { PacketInput } from './packet-input.ts';
import type { Readiness } from './readiness.ts';

/** What goes on may let something else go on, but not for ever. */
const SETTLING_ROUNDS = 16;

/** What a turn works on. */
export interface TurnParts {
  readonly stack: Stack;
  readonly tree: Tree;
  readonly journal: Journal;
  readonly session: Session;
  readonly packets: PacketInput;
  readonly outbox: Outbox;
  readonly readiness: Readiness;
  /** Called for each connection that is gone. */
  readonly onEnd: (pcb: Pcb) => void;
}

/**
 * The engine's one activity: take in what has come, let it have its effects, commit them, and only then let anything out.
 * The busier the engine, the more events share a commit.
 */
export class Turn {
  readonly #parts: TurnParts;
  #isFirst = true;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  run(): void {
    const { stack, session, packets, readiness } = this.#parts;
    const now = monotonicNow();
    session.drain(now);
    packets.drain(now);
    stack.tick(now);
    const isSettled = this.#settle(now);
    if (this.#isFirst) crashPoint('first-turn');
    this.#isFirst = false;
    this.#commit();
    this.release();
    readiness.arm(isSettled && !session.waiting ? stack.deadline : now);
  }

  /** Lets out what the journal covers by now. */
  release(): void {
    const { journal, outbox, session } = this.#parts;
    outbox.release(journal.durable);
    session.answers.released(journal.durable);
  }

  /**
   * Lets what has changed have its effects: blocked requests go on, segments are written, until nothing changes any more.
   * @returns false when there is more to do than this turn should
   */
  #settle(now: number): boolean {
    const { stack, outbox } = this.#parts;
    this.#wake(now);
    for (let round = 0; round < SETTLING_ROUNDS; round += 1) {
      const isComplete = stack.transmit(now, outbox.packets);
      // Segments to our own address have arrived by now.
      if (!this.#wake(now)) return isComplete;
    }
    return false;
  }

  /** @returns whether any connection had changed */
  #wake(now: number): boolean {
    const { stack, tree, journal, session, onEnd } = this.#parts;
    const changed = stack.takeChanged();
    const removed = stack.takeRemoved();
    for (const pcb of changed) session.wake(pcb.ID, now);
    tree.forget(removed.map(({ ID }) => ID));
    for (const pcb of removed) {
      removeConnection(journal, pcb.ID);
      session.wake(pcb.ID, now);
      onEnd(pcb);
    }
    return changed.length + removed.length > 0;
  }

  #commit(): void {
    const { stack, journal, outbox, session } = this.#parts;
    for (const pcb of stack.takeDirty()) stageConnection(journal, pcb);
    journal.facts.nextId = stack.nextId;
    session.answers.stage(journal, journal.turn);
    crashPoint('before-commit');
    const turn = journal.commit();
    crashPoint('after-commit');
    outbox.seal(turn);
  }
}
