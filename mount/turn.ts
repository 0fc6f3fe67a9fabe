import type { Tree } from '../fs/tree.ts';
import { monotonicNow } from '../persist/clock.ts';
import { removeConnection, stageConnection } from '../persist/connections.ts';
import type { Journal } from '../persist/journal.ts';
import { StoreError } from '../persist/store-error.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { Durability, type DurabilityName } from '../tcp/durability.ts';
import type { Stack } from '../tcp/stack.ts';
import { crashPoint } from './crash-point.ts';
import type { Session } from './driver.ts';
import type { HostNames } from './names/host-names.ts';
import type { Outbox } from './outbox.ts';
import type { PacketInput } from './packet-input.ts';
import { Patience } from './patience.ts';
import type { Readiness } from './readiness.ts';

/** How often a commit that the disk did not take is tried again, and a full disk looked at, in milliseconds. */
const RETRY_MILLISECONDS = 1000;

/** What goes on may let something else go on, but not for ever. */
const SETTLING_ROUNDS = 16;

/** What a turn works on. */
export interface TurnParts {
  readonly stack: Stack;
  readonly tree: Tree;
  readonly names: HostNames;
  readonly journal: Journal;
  readonly session: Session;
  readonly packets: PacketInput;
  /** By what has to be outlived before an output leaves. */
  readonly outboxes: Readonly<Record<DurabilityName, Outbox>>;
  readonly readiness: Readiness;
  /** What new connections outlive. */
  readonly durability: DurabilityName;
  /** Called for each connection and UDP socket that is gone. */
  readonly onEnd: (pcb: ControlBlock) => void;
  /** Called when the disk takes only small records, and when it takes everything again. */
  readonly onRoom: (hasRoom: boolean) => void;
  /** Called when the disk takes nothing at all. */
  readonly onFailure: (error: StoreError) => void;
}

/**
 * The engine's one activity: take in what has come, let it have its effects, commit them, and only then let anything out.
 * The busier the engine, the more events share a commit.
 */
export class Turn {
  readonly #parts: TurnParts;
  /** Connections and UDP sockets with durability `power`, as of the last turn that was staged. */
  readonly #outlivingHost = new Set<number>();
  readonly #patience = new Patience();
  #isFirst = true;
  /** What is staged has to be committed before anything else happens. */
  #isCommitDue = false;
  #isPaused = false;
  #isFreezing = false;
  /** The store has grown as much as it may. */
  #isWaitingForDisk = false;
  /** When to look whether a full disk has room again. */
  #nextLook = 0;

  constructor(parts: TurnParts) {
    this.#parts = parts;
    const { pcbs, udp } = parts.stack;
    for (const pcb of [...pcbs.values(), ...udp.pcbs.values()]) this.#note(pcb);
  }

  /** Whether a connection is to outlive a crash of the host; with 0, whether anything is, or is yet to be said that was to. */
  outlivesHost(connection: number): boolean {
    const { stack, durability, outboxes } = this.#parts;
    const pcb = stack.find(connection);
    if (pcb !== undefined) return pcb.DURABILITY === Durability.POWER;
    this.#noteNew();
    return durability === 'power' || this.#outlivingHost.size > 0 || !outboxes.power.empty;
  }

  /** What has been made since the last turn was staged need not be of our own default: it may have moved in. */
  #noteNew(): void {
    const { stack, journal } = this.#parts;
    for (let id = journal.facts.nextId; id < stack.nextId; id++) {
      const pcb = stack.find(id);
      if (pcb !== undefined) this.#note(pcb);
    }
  }

  #note({ ID, DURABILITY }: ControlBlock): void {
    if (DURABILITY === Durability.POWER) this.#outlivingHost.add(ID);
    else this.#outlivingHost.delete(ID);
  }

  run(): void {
    if (this.#isCommitDue && !this.commit()) return;
    if (this.#mustWaitForDisk()) return;
    const { stack, names, session, packets, readiness } = this.#parts;
    const now = monotonicNow();
    this.#lookForRoom(now);
    if (!this.#isFreezing) session.drain(now);
    // A reader who has come meanwhile takes what has arrived: then it need not be kept.
    if (packets.drain(now) && !this.#isFreezing) session.drain(now);
    stack.tick(now);
    names.tick(now);
    const isSettled = this.#settle(now);
    if (this.#isFirst) crashPoint('first-turn');
    this.#isFirst = false;
    this.#stage();
    crashPoint('before-commit');
    if (!this.commit()) return;
    const mayWait = isSettled && !session.waiting && !this.#patience.lasts(monotonicNow());
    readiness.arm(mayWait ? this.#deadline : now);
  }

  /**
   * Commits what is staged, and lets out what depends on nothing else.
   * @returns false when the disk failed, or is so full that it does not even take what is small. Then no turn runs until it
   *   does: nothing is taken in that could not be kept, and the kernel queues it
   */
  commit(): boolean {
    const { journal, session, outboxes, readiness, onFailure } = this.#parts;
    journal.durability = this.outlivesHost(0) ? 'power' : 'process';
    journal.isTentative = session.isTentative;
    let turn: number;
    try {
      turn = journal.commit();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (!this.#isCommitDue) onFailure(error);
      this.#isCommitDue = true;
      readiness.pause();
      setTimeout(() => {
        if (!this.#isPaused) readiness.resume();
      }, RETRY_MILLISECONDS);
      return false;
    }
    this.#isCommitDue = false;
    crashPoint('after-commit');
    const isProcessSealed = outboxes.process.seal(turn);
    const isPowerSealed = outboxes.power.seal(turn);
    this.release();
    if (isProcessSealed || isPowerSealed) this.#patience.rewarded(monotonicNow());
    return true;
  }

  /**
   * While a checkpoint is on its way to the disk, the store cannot use pages again. What is written meanwhile is bounded by running
   * no turn; the kernel queues requests and packets.
   */
  #mustWaitForDisk(): boolean {
    const { journal, readiness } = this.#parts;
    this.#isWaitingForDisk = !journal.canGrow;
    if (!this.#isWaitingForDisk) return false;
    readiness.pause();
    journal.sync();
    return true;
  }

  /** From now on no request is taken: the kernel has them wait for the next engine. Turns go on with what comes from peers. */
  freeze(): void {
    this.#isFreezing = true;
    this.#parts.stack.beginFreeze();
  }

  /** Runs no more until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#parts.readiness.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#parts.readiness.resume();
  }

  /** Whether all that was made visible by the turns so far has left. */
  get isReleased(): boolean {
    const { process, power } = this.#parts.outboxes;
    return process.empty && power.empty && !this.#isCommitDue;
  }

  /** Lets out what the journal covers by now. */
  release(): void {
    const { journal, outboxes, session, readiness } = this.#parts;
    outboxes.process.release(journal.durable);
    outboxes.power.release(journal.synced);
    if (!outboxes.power.empty) journal.sync();
    const waiting = outboxes.power.oldestTurn;
    session.released(waiting === undefined ? journal.durable : waiting - 1);
    journal.isTentative = session.isTentative;
    if (this.#isWaitingForDisk && journal.canGrow && !this.#isPaused) readiness.resume();
  }

  /**
   * Lets what has changed have its effects: blocked requests go on, segments are written, until nothing changes any more.
   * @returns false when there is more to do than this turn should
   */
  #settle(now: number): boolean {
    const { stack, outboxes } = this.#parts;
    this.#wake(now);
    for (let round = 0; round < SETTLING_ROUNDS; round += 1) {
      const isComplete = stack.transmit(now, outboxes.process.packets, outboxes.power.packets);
      // Segments to our own address have arrived by now. What has no room until the disk has caught up is not for the next turn.
      if (!this.#wake(now)) return isComplete || !outboxes.process.isFull;
    }
    return false;
  }

  /** @returns whether any connection had changed */
  #wake(now: number): boolean {
    const { stack, tree, names, journal, session, onEnd } = this.#parts;
    const changed = stack.takeChanged();
    const removed = stack.takeRemoved();
    tree.note(changed, removed);
    names.note(changed, now);
    for (const waiter of names.takeAnswered()) session.wake(waiter, now);
    for (const pcb of changed) session.wake(pcb.ID, now);
    for (const pcb of removed) {
      removeConnection(journal, pcb);
      this.#outlivingHost.delete(pcb.ID);
      session.wake(pcb.ID, now);
      onEnd(pcb);
    }
    return changed.length + removed.length > 0;
  }

  #stage(): void {
    const { stack, journal, session } = this.#parts;
    for (const pcb of stack.takeDirty()) {
      stageConnection(journal, pcb);
      this.#note(pcb);
    }
    journal.facts.nextId = stack.nextId;
    session.stage(journal);
  }

  #lookForRoom(now: number): void {
    const { journal, stack, onRoom } = this.#parts;
    if (!journal.hasRoom && now >= this.#nextLook) {
      journal.regainRoom();
      this.#nextLook = now + RETRY_MILLISECONDS;
    }
    if (stack.hasRoom === journal.hasRoom) return;
    stack.hasRoom = journal.hasRoom;
    onRoom(journal.hasRoom);
  }

  get #deadline(): number {
    const { journal, stack, names } = this.#parts;
    const deadline = Math.min(stack.deadline, names.deadline);
    return journal.hasRoom ? deadline : Math.min(deadline, this.#nextLook);
  }
}
