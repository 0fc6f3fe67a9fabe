import type { Pcb } from '../../tcp/pcb.ts';
import type { Stack } from '../../tcp/stack.ts';
import { State } from '../../tcp/state.ts';
import { TcpError } from '../../tcp/tcp-error.ts';
import { type Flow, otherRole, type Role } from './flow.ts';
import { addressOf } from './packet.ts';
import { isWithin } from './path.ts';
import type { Program } from './program.ts';
import type { EndPlan } from './scenario.ts';
import { must, Violation } from './violation.ts';

/** What a program has done: what becomes durable with its calls, and is undone with them by a crash. */
interface Progress {
  /** ID of the listener; 0: none. */
  listener: number;
  /** ID of the connection; 0: none yet. */
  connection: number;
  said: number;
  heard: number;
  isFinished: boolean;
  isClosed: boolean;
}

/** How long the peer of a handshake that is not known to be over may wait, milliseconds: there are only so many attempts. */
const PATIENCE_IN_HANDSHAKE = 3000;
/** And a peer whose user has gone, or may go: Linux and we give up after minutes. */
const PATIENCE_OF_ORPHANS = 150_000;
/** How long after the other has given up a program goes on waiting for news, milliseconds. */
const PATIENCE = 300_000;
/** How long until a refused simultaneous open is tried again, milliseconds: two that retry in step would never meet. */
function retryAfter(attempt: number, role: Role): number {
  return role === 'client' ? 37 : 37 + 500 * ((attempt * 0.618) % 1);
}

/** The read side's memory; what it holds is checked at once. */
const target = new Uint8Array(1 << 16);

/** A program at one end of a connection of a stack: what it does follows from its plan and the time. */
export class Application implements Program {
  readonly #flow: Flow;
  readonly #role: Role;
  readonly #plan: EndPlan;
  #progress: Progress = {
    listener: 0,
    connection: 0,
    said: 0,
    heard: 0,
    isFinished: false,
    isClosed: false,
  };
  // Of the moment, and free to be forgotten.
  #writesAt = 0;
  #readsAt = 0;
  #opensAt: number;
  #acceptsAt = Infinity;
  #attempts = 0;

  constructor(flow: Flow, role: Role) {
    this.#flow = flow;
    this.#role = role;
    this.#plan = flow.end(role);
    this.#opensAt = flow.plan.startsAt;
  }

  get isDone(): boolean {
    return this.#progress.isClosed;
  }

  get heard(): number {
    return this.#progress.heard;
  }

  /** What the calls change is in the record of the connection. */
  takeAnswered(): boolean {
    return false;
  }

  snapshot(): Progress {
    return { ...this.#progress };
  }

  /** The engine has died, and what came after `snapshot` has not happened. */
  rollBack(snapshot: Progress): void {
    this.#progress = { ...snapshot };
    this.#writesAt = 0;
    this.#readsAt = 0;
  }

  patience(stack: Stack): number {
    const { connection, isFinished, isClosed } = this.#progress;
    if (isClosed) return PATIENCE_OF_ORPHANS;
    const pcb = stack.pcbs.get(connection);
    const isKnown = pcb !== undefined && pcb.SEND_START + pcb.RECEIVE_END > 0;
    if (!isKnown) return PATIENCE_IN_HANDSHAKE;
    const { isRude, isHasty } = this.#flow;
    return isFinished || isRude || isHasty ? PATIENCE_OF_ORPHANS : Infinity;
  }

  get isMovable(): boolean {
    return this.#progress.connection !== 0 || this.#progress.isClosed;
  }

  departs(stack: Stack, clock: number): void {
    this.#stopListening(stack, clock);
  }

  arrives(ids: ReadonlyMap<number, number>): void {
    // Of one that is closed there may be nothing left.
    this.#progress.connection = ids.get(this.#progress.connection) ?? 0;
  }

  toString(): string {
    const { said, heard, isFinished, isClosed } = this.#progress;
    const { length } = this.#flow.texts[otherRole(this.#role)];
    const ended = isClosed ? ', closed' : isFinished ? ', finished' : '';
    return `${this.#role} said ${said} of ${this.#plan.length}, heard ${heard} of ${length}${ended}`;
  }

  /**
   * Does what can be done without waiting.
   * @param now virtual time
   * @param clock the stack's time
   * @returns when it wants to act next, if nothing else happens
   */
  act(stack: Stack, now: number, clock: number): number {
    if (this.#progress.isClosed) return Infinity;
    try {
      return this.#act(stack, now, clock);
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      return this.#failed(stack, error, now, clock);
    }
  }

  #act(stack: Stack, now: number, clock: number): number {
    const progress = this.#progress;
    if (progress.connection === 0) {
      const opensAt = this.#open(stack, now, clock);
      if (progress.connection === 0)
        return Math.min(opensAt, this.#losePatience(stack, now, clock));
    }
    const pcb = stack.pcbs.get(progress.connection);
    if (pcb === undefined) throw new Violation(`the connection of the ${this.#role} is not there`);
    if (pcb.STATE === State.SYN_SENT || pcb.STATE === State.SYN_RECEIVED) {
      if (this.#plan.isEager && !this.#isRude) this.#write(stack, pcb, now, clock);
      return Infinity;
    }
    const readsAt = this.#read(stack, pcb, now, clock);
    const writesAt = this.#write(stack, pcb, now, clock);
    const endsAt = this.#end(stack, pcb, now, clock);
    return Math.min(readsAt, writesAt, endsAt);
  }

  get #isRude(): boolean {
    return this.#plan.ending === 'abort' || this.#plan.ending === 'drop';
  }

  /** @returns when it wants to act next */
  #open(stack: Stack, now: number, clock: number): number {
    if (this.#role === 'client' || this.#flow.isSimultaneous)
      return this.#connect(stack, now, clock);
    if (this.#progress.listener === 0) {
      const listener = stack.create();
      stack.bind(listener, { address: '::', port: this.#flow.plan.port });
      stack.listen(listener, 4);
      this.#progress.listener = listener.ID;
    }
    const listener = stack.pcbs.get(this.#progress.listener);
    if (listener === undefined) throw new Violation('the listener is not there');
    if (!stack.acceptable(listener)) return Infinity;
    if (this.#acceptsAt === Infinity) this.#acceptsAt = now + this.#plan.acceptsAfter;
    if (now < this.#acceptsAt) return this.#acceptsAt;
    const pcb = stack.accept(listener)!;
    this.#opened(pcb);
    if (this.#flow.plan.stopsListening) this.#stopListening(stack, clock);
    return Infinity;
  }

  #connect(stack: Stack, now: number, clock: number): number {
    if (now < this.#opensAt) return this.#opensAt;
    const { port, clientPort } = this.#flow.plan;
    const pcb = stack.create();
    const { host } = this.#flow.end(otherRole(this.#role));
    const address = addressOf(host, this.#flow.plan.isIpv6);
    if (this.#flow.isSimultaneous) {
      const [own, others] = this.#role === 'client' ? [clientPort, port] : [port, clientPort];
      stack.bind(pcb, { address: '::', port: own });
      stack.connect(pcb, { address, port: others }, clock);
    } else {
      stack.connect(pcb, { address, port }, clock);
    }
    this.#opened(pcb);
    return Infinity;
  }

  #opened(pcb: Pcb): void {
    this.#progress.connection = pcb.ID;
    pcb.NODELAY = this.#plan.nodelay ? 1 : 0;
    pcb.PACING = this.#plan.pacing ? 1 : 0;
    pcb.KEEPALIVE = this.#plan.keepalive ? 1 : 0;
  }

  #stopListening(stack: Stack, clock: number): void {
    const listener = stack.pcbs.get(this.#progress.listener);
    this.#progress.listener = 0;
    if (listener !== undefined) stack.close(listener, clock);
  }

  /** @returns when it wants to read next */
  #read(stack: Stack, pcb: Pcb, now: number, clock: number): number {
    const { readSize, readInterval, readPauses } = this.#plan;
    // An error is not only heard of by reading.
    if (pcb.ERROR !== 0 && pcb.readable === 0) stack.receive(pcb, target, clock);
    const pause = readPauses.find((span) => isWithin(span, now));
    if (pause !== undefined) return pause.until;
    if (now < this.#readsAt) return this.#readsAt;
    const progress = this.#progress;
    const text = this.#flow.texts[otherRole(this.#role)];
    for (;;) {
      if (pcb.readable === 0 && pcb.ERROR === 0) break;
      const count = stack.receive(pcb, target.subarray(0, readSize), clock);
      must(
        text.says(progress.heard, target, 0, count),
        () =>
          `the ${this.#role} heard ${count} bytes at ${progress.heard} that were not said there`,
      );
      progress.heard += count;
      if (readInterval > 0) {
        this.#readsAt = now + readInterval;
        return this.#readsAt;
      }
    }
    if (pcb.atEnd && !this.#flow.isRude) {
      must(
        progress.heard === text.length,
        () => `the ${this.#role} came to the end after ${progress.heard} of ${text.length} bytes`,
      );
    }
    return Infinity;
  }

  /** @returns when it wants to write next */
  #write(stack: Stack, pcb: Pcb, now: number, clock: number): number {
    if (now < this.#writesAt) return this.#writesAt;
    const { bytewise, writeSize, writeInterval, length } = this.#plan;
    const progress = this.#progress;
    const text = this.#flow.texts[this.#role];
    while (progress.said < length) {
      const isBytewise = progress.said < bytewise;
      const size = isBytewise ? 1 : Math.min(writeSize, length - progress.said);
      const count = stack.send(pcb, text.bytes(progress.said, size), clock);
      must(count <= size, 'SEND took more than it was given');
      if (count === 0) return Infinity;
      progress.said += count;
      const interval = isBytewise ? 0.3 : writeInterval;
      if (interval > 0) {
        this.#writesAt = now + interval;
        return this.#writesAt;
      }
    }
    return Infinity;
  }

  /** @returns when it wants to look again whether it should end */
  #end(stack: Stack, pcb: Pcb, now: number, clock: number): number {
    const progress = this.#progress;
    const { ending, endsAfter, length } = this.#plan;
    if (this.#isRude) {
      if (progress.said + progress.heard < endsAfter) return this.#losePatience(stack, now, clock);
      this.#flow.brokenAt = Math.min(this.#flow.brokenAt, now);
      if (ending === 'abort') stack.abort(pcb, clock);
      else stack.close(pcb, clock);
      this.#closed(stack, clock);
      return Infinity;
    }
    if (progress.said === length && (ending === 'half-close' || pcb.atEnd)) {
      if (!progress.isFinished && pcb.STATE !== State.CLOSED) stack.shutdown(pcb, clock);
      progress.isFinished = true;
    }
    const hasEnded = progress.isFinished && pcb.atEnd;
    if (hasEnded || (ending === 'at once' && progress.said === length)) {
      stack.close(pcb, clock);
      this.#closed(stack, clock);
      return Infinity;
    }
    return this.#losePatience(stack, now, clock);
  }

  /** The other end has given up, and the news of it may be lost for good. */
  #losePatience(stack: Stack, now: number, clock: number): number {
    const until = this.#flow.brokenAt + PATIENCE;
    if (now < until) return this.#flow.isRude ? Math.min(until, now + PATIENCE) : Infinity;
    const pcb = stack.pcbs.get(this.#progress.connection);
    if (pcb !== undefined) stack.abort(pcb, clock);
    this.#closed(stack, clock);
    return Infinity;
  }

  #closed(stack: Stack, clock: number): void {
    this.#progress.isClosed = true;
    this.#stopListening(stack, clock);
  }

  /** @returns when it wants to act next */
  #failed(stack: Stack, error: TcpError, now: number, clock: number): number {
    const pcb = stack.pcbs.get(this.#progress.connection);
    const isTooSoon = this.#flow.isSimultaneous && this.#flow.brokenAt === Infinity;
    if (isTooSoon && error.errno === 'ECONNREFUSED' && pcb !== undefined) {
      // The other has not opened yet, or its engine died and has forgotten it.
      stack.close(pcb, clock);
      this.#progress.connection = 0;
      this.#progress.said = 0;
      this.#opensAt = now + retryAfter(++this.#attempts, this.#role);
      return this.#opensAt;
    }
    const { length } = this.#flow.texts[otherRole(this.#role)];
    const isAllDone = this.#progress.heard === length && this.#progress.said === this.#plan.length;
    const isJustified = this.#flow.isRude || (this.#flow.isHasty && isAllDone);
    if (!isJustified) throw new Violation(`the ${this.#role} got ${error.errno}: ${this}`);
    if (pcb !== undefined) stack.close(pcb, clock);
    this.#closed(stack, clock);
    return Infinity;
  }
}
