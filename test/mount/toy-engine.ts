import { Answers } from '../../mount/fuse/answers.ts';
import type { Negotiated } from '../../mount/fuse/negotiated.ts';
import { Notes } from '../../mount/fuse/notes.ts';
import { Polls } from '../../mount/fuse/polls.ts';
import { Session } from '../../mount/fuse/session.ts';
import { Outbox } from '../../mount/outbox.ts';
import { Readiness } from '../../mount/readiness.ts';
import { Replies } from '../../mount/replies.ts';
import { allocateResidentMemory } from '../../mount/resident-memory.ts';
import { write } from '../../mount/system-calls.ts';
import { monotonicNow } from '../../persist/clock.ts';
import { Table } from '../../persist/table.ts';
import { ToyJournal } from './toy-journal.ts';
import { ToyTree } from './toy-tree.ts';

export interface ToyEngineOptions {
  readonly fuse: number;
  readonly negotiated: Negotiated;
  readonly instance: number;
  readonly journal?: ToyJournal;
  readonly tree?: ToyTree;
  /** Bytes of memory for replies. */
  readonly outboxSize?: number;
  /** Between taking requests in and committing their effects. */
  readonly beforeCommit?: () => void;
  /** Between the commit and the replies. */
  readonly afterCommit?: () => void;
}

/** The turn of an engine that has no network: the toy tree, the protocol, and a journal in memory. */
export class ToyEngine {
  readonly tree: ToyTree;
  readonly journal: ToyJournal;
  readonly session: Session;
  readonly #options: ToyEngineOptions;
  readonly #outbox: Outbox;
  readonly #readiness: Readiness;
  /** Turns so far. */
  turns = 0;
  /** Failed replies, as errnos. */
  readonly failures: number[] = [];

  constructor(options: ToyEngineOptions) {
    const { fuse, negotiated, instance } = options;
    this.#options = options;
    this.tree = options.tree ?? new ToyTree();
    this.journal = options.journal ?? new ToyJournal();
    const memory = allocateResidentMemory(options.outboxSize ?? 8 * 1024 * 1024);
    this.#outbox = new Outbox(
      memory,
      (offset, length) => {
        const written = write(fuse, memory.address + offset, length);
        if (written < 0) this.failures.push(-written);
      },
      () => {},
    );
    const replies = this.#outbox.replies;
    const answers = new Answers(instance);
    const notes = new Notes(this.journal, instance);
    const polls = new Polls(this.journal, replies, instance);
    answers.restore(this.journal.scan(Table.answer));
    notes.restore(this.journal.scan(Table.note));
    polls.restore(this.journal.scan(Table.poll));
    const tree = this.tree;
    this.session = new Session({
      fd: fuse,
      negotiated,
      tree,
      replies: new Replies(replies, replies, () => false),
      answers,
      notes,
      polls,
    });
    this.#readiness = new Readiness(() => this.#turn());
    this.#readiness.watch(fuse);
    this.wake();
  }

  /** Has a turn run soon. */
  wake(): void {
    this.#readiness.arm(monotonicNow());
  }

  stop(): void {
    this.#readiness.stop();
  }

  #turn(): void {
    const { session, tree, journal } = this;
    const now = monotonicNow();
    this.turns += 1;
    session.drain(now);
    while (tree.changed.size > 0) {
      const changed = [...tree.changed];
      tree.changed.clear();
      for (const connection of changed) session.wake(connection, now);
    }
    session.stage(journal);
    this.#options.beforeCommit?.();
    const turn = journal.commit();
    this.#options.afterCommit?.();
    this.#outbox.seal(turn);
    this.#outbox.release(turn);
    session.released(turn);
    if (session.unmounted) this.stop();
    else this.#readiness.arm(session.waiting ? now : undefined);
  }
}
