import { constants as fileConstants } from 'node:fs';
import { constants } from 'node:os';
import { type Attempt, BLOCKED, type Call } from '../../fs/attempt.ts';
import { connectionOf } from '../../fs/node-id.ts';
import { ErrnoError, errnoNumber } from '../../tcp/errno.ts';
import type { Session as DriverSession } from '../driver.ts';
import type { Replies } from '../replies.ts';
import type { ResidentMemory } from '../resident-memory.ts';
import { HELD_REPLY_SIZE, HeldReplies } from './held-replies.ts';
import type { Mounting } from './mounting.ts';
import { operationsOn, type ServedTree } from './operations.ts';
import { nodeAt } from './path.ts';
import type { Answer, NativeRequest } from './request.ts';

const { EAGAIN } = constants.errno;
const { O_NONBLOCK } = fileConstants;

/** What waits for a connection that is not known yet waits for this one. */
const ANY_CONNECTION = 0;

export interface SessionOptions {
  readonly mounting: Pick<Mounting, 'mount' | 'hasEnded'>;
  readonly tree: ServedTree;
  readonly replies: Replies;
}

/** The tree's side of libfuse: its threads' requests in, replies out. It acts only within a turn. */
export class Session implements DriverSession {
  readonly #tree: ServedTree;
  readonly #replies: Replies;
  readonly #mounting: SessionOptions['mounting'];
  readonly #held = new HeldReplies();
  /** Requests to be served, oldest first. */
  readonly #queue: NativeRequest[] = [];
  /** Requests that wait for a connection to change, oldest first. */
  readonly #parked = new Map<number, NativeRequest[]>();
  /** Connections that could not be served for want of room for replies. */
  readonly #unfinished = new Set<number>();
  /** Nobody but who mounts gets through to libfuse: without `allow_other` the kernel sees to that. */
  readonly #call: { -readonly [K in keyof Call]: Call[K] } = {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    pid: 0,
    now: 0,
    nonblocking: false,
    note: 0,
    returnable: 0,
  };

  constructor({ mounting, tree, replies }: SessionOptions) {
    this.#mounting = mounting;
    this.#tree = tree;
    this.#replies = replies;
  }

  get unmounted(): boolean {
    return this.#mounting.hasEnded;
  }

  get waiting(): boolean {
    return this.#queue.length > 0 || this.#unfinished.size > 0;
  }

  /** libfuse's threads end the wait of Node's loop by themselves. */
  async start(): Promise<void> {
    await this.#mounting.mount((info) =>
      operationsOn(this.#tree, info, (request) => this.#queue.push(request)),
    );
  }

  drain(now: number): void {
    let served = 0;
    while (served < this.#queue.length && this.#serve(this.#queue[served]!, now)) served += 1;
    this.#queue.splice(0, served);
    for (const connection of [...this.#unfinished, ANY_CONNECTION]) {
      this.#unfinished.delete(connection);
      this.wake(connection, now);
    }
  }

  wake(connection: number, now: number): void {
    const requests = this.#parked.get(connection);
    if (requests === undefined) return;
    this.#parked.delete(connection);
    let room = true;
    for (const request of requests) {
      if (room) room = this.#serve(request, now);
      if (!room) this.#park(request, connection);
    }
    if (!room) this.#unfinished.add(connection);
  }

  /** No engine after this one is asked the same requests again, and libfuse 2 cannot be told what the kernel keeps in vain. */
  stage(): void {
    this.#tree.takeOutdated();
  }

  send({ view }: ResidentMemory, offset: number): void {
    this.#held.release(view, offset);
  }

  released(): void {}

  /** Nobody is asked again. */
  get isTentative(): boolean {
    return false;
  }

  /**
   * Answers the request or parks it.
   * @returns false when there was no room for a reply; nothing has happened then
   */
  #serve(request: NativeRequest, now: number): boolean {
    // Serving it may change where its reply has to wait.
    const { process, power } = this.#replies;
    if (process.reserve(HELD_REPLY_SIZE) < 0 || power.reserve(HELD_REPLY_SIZE) < 0) return false;
    let connection = this.#tree.connectionOf(request.handle);
    const call = this.#call;
    call.now = now;
    call.nonblocking = (request.flags & O_NONBLOCK) !== 0;
    call.note = request.note;
    let answer: Attempt<Answer>;
    let node = 0;
    try {
      if (request.path !== '') node = nodeAt(this.#tree, request.path, now);
      if (node !== 0) connection = connectionOf(node);
      answer = request.serve(node, call);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      answer = [-errnoNumber(error.errno)];
    }
    if (answer === BLOCKED && call.nonblocking) answer = [-EAGAIN];
    if (answer === BLOCKED) {
      request.note = call.note;
      const { handle, note } = request;
      this.#park(request, handle === 0 ? this.#tree.openWaitsOn(node, note) : connection);
    } else {
      const told = answer;
      this.#held.hold(this.#replies.to(connection, request.effect), () => request.reply(...told));
    }
    return true;
  }

  #park(request: NativeRequest, connection: number): void {
    const others = this.#parked.get(connection);
    if (others === undefined) this.#parked.set(connection, [request]);
    else others.push(request);
  }
}
