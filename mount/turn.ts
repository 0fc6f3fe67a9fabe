import type { Tree } from '../fs/tree.ts';
import { removeConnection, stageConnection } from '../persist/connections.ts';
import type { Journal } from '../persist/journal.ts';
import { assert } from '../tcp/assert.ts';
import type { Stack } from '../tcp/stack.ts';
import { monotonicNow } from './clock.ts';
import { crashPoint } from './crash-point.ts';
import type { Session } from './fuse/session.ts';
import type { Outbox } from './outbox.ts';
import type { PacketInput } from './packet-input.ts';
import type { Readiness } from './readiness.ts';

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
  readonly onEnd: (id: number) => void;
}

/**
 * The engine's one activity: take in what has come, let it have its effects, commit them, and only then let anything out.
 * The busier the engine, the more events share a commit.
 */
export class Turn {
  readonly #parts: TurnParts;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  run(): void {
    const { stack, session, packets, outbox, readiness } = this.#parts;
    const now = monotonicNow();
    session.drain(now);
    packets.drain(now);
    stack.tick(now);
    const quiet = this.#settle(now);
    const complete = stack.transmit(now, outbox.packets);
    this.#commit();
    this.release();
    const again = !quiet || !complete || session.waiting || stack.changed;
    readiness.arm(again ? now : stack.deadline);
  }

  /** Lets out what the journal covers by now. */
  release(): void {
    const { journal, outbox, session } = this.#parts;
    const released = outbox.release(journal.durable);
    assert(released <= journal.durable, 'nothing visible leaves before it is durable');
    session.answers.released(released);
  }

  /** Blocked requests go on where their connection has changed, until nothing changes any more. */
  #settle(now: number): boolean {
    const { stack, tree, session, onEnd } = this.#parts;
    // Each round needs a request that could go on, so the bound is a precaution only.
    for (let round = 0; round < 16; round += 1) {
      const changed = stack.takeChanged();
      if (changed.length === 0) return true;
      for (const pcb of changed) session.wake(pcb.ID, now);
    }
    return false;
  }

  #commit(): void {
    const { stack, tree, journal, outbox, session } = this.#parts;
    for (const pcb of stack.takeDirty()) stageConnection(journal, pcb);
    session.answers.stage(journal, journal.turn);
    crashPoint('before-commit');
    const turn = journal.commit();
    crashPoint('after-commit');
    outbox.seal(turn);
  }
}
