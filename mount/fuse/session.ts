import { constants } from 'node:os';
import { BLOCKED, type Call } from '../../fs/attempt.ts';
import { isReport } from '../../fs/files.ts';
import { connectionOf } from '../../fs/node-id.ts';
import { assert } from '../../tcp/assert.ts';
import type { Egress } from '../../tcp/egress.ts';
import { ErrnoError, errnoNumber } from '../../tcp/errno.ts';
import { crashPoint } from '../crash-point.ts';
import type { Session as DriverSession } from '../driver.ts';
import type { Readiness } from '../readiness.ts';
import type { Replies } from '../replies.ts';
import { allocateResidentMemory, type ResidentMemory } from '../resident-memory.ts';
import type { Stage } from '../stage.ts';
import { write } from '../system-calls.ts';
import type { Answers } from './answers.ts';
import { isStream, openFileOf } from './file-handle.ts';
import { Inbox } from './inbox.ts';
import type { Negotiated } from './negotiated.ts';
import type { Notes } from './notes.ts';
import type { Blocking, Operation, ServedTree, Service } from './operation.ts';
import { interruptTarget } from './operations/interrupt.ts';
import { operationOf } from './operations.ts';
import { Parked } from './parked.ts';
import type { Polls } from './polls.ts';
import { Notification, Opcode, OutSize } from './protocol.ts';
import { Request } from './request.ts';
import { setU64 } from './u64.ts';

const { EAGAIN, ECONNABORTED, EINTR, EINVAL, ENODEV, ENOENT } = constants.errno;

const PAGE = 4096;

/** What waits for a connection that is not known yet waits for this one. */
const ANY_CONNECTION = 0;
/** What waits for the disk, because there is no room for one more reply that would, waits for this one. */
const DISK = -1;

/** What came of a request. */
type Served =
  /** It is answered or parked. */
  | 'done'
  /** There was no room for a reply: nothing has happened. Replies are about to leave. */
  | 'no room'
  /** The same, and replies leave only when the disk has caught up. Other requests need not wait for that. */
  | 'no room before the disk';

export interface SessionOptions {
  /** /dev/fuse, mounted and past INIT, non-blocking. */
  readonly fd: number;
  readonly negotiated: Negotiated;
  readonly tree: ServedTree;
  readonly replies: Replies;
  readonly answers: Answers;
  readonly notes: Notes;
  readonly polls: Polls;
}

/** The kernel's side of the tree: requests in, replies out. It acts only within a turn. */
export class Session implements DriverSession {
  readonly #answers: Answers;
  readonly #fd: number;
  readonly #tree: ServedTree;
  readonly #replies: Replies;
  readonly #notes: Notes;
  readonly #polls: Polls;
  readonly #inbox: Inbox;
  /** Bytes of the largest reply to READ. */
  readonly #limit: number;
  readonly #parked = new Parked();
  readonly #notification = allocateResidentMemory(PAGE);

  /** Requests to be served, oldest first; those before `#next` are done with. */
  readonly #queue: Request[] = [];
  #next = 0;
  /** Keys of the requests that INTERRUPTs are about. */
  readonly #interrupts: number[] = [];
  /** Connections that could not be served for want of room for replies. */
  readonly #unfinished = new Set<number>();
  /** Objects to be used again. */
  readonly #spare: Request[] = [];

  /** What this engine has yet to do, once. */
  #toResend = true;
  #toSettle = true;
  #unmounted = false;

  readonly #call: { -readonly [K in keyof Call]: Call[K] } = {
    uid: 0,
    gid: 0,
    pid: 0,
    now: 0,
    nonblocking: false,
    note: 0,
    returnable: 0,
  };
  readonly #service: { -readonly [K in keyof Service]: Service[K] };

  constructor(options: SessionOptions) {
    const { fd, negotiated, tree, replies, answers, notes, polls } = options;
    this.#answers = answers;
    this.#fd = fd;
    this.#tree = tree;
    this.#replies = replies;
    this.#notes = notes;
    this.#polls = polls;
    this.#inbox = new Inbox(negotiated.maxWrite);
    this.#limit = negotiated.maxPages * PAGE;
    const { bytes, view } = replies.process;
    this.#service = { tree, polls, call: this.#call, bytes, view, start: 0, room: 0 };
  }

  /** Whether the mount is gone, or its connection aborted. */
  get unmounted(): boolean {
    return this.#unmounted;
  }

  /** Whether something could not be done in this turn for want of room that there is in the next: it is wanted at once. */
  get waiting(): boolean {
    return this.#next < this.#queue.length || this.#unfinished.size > 0;
  }

  async start(readiness: Readiness): Promise<void> {
    readiness.watch(this.#fd);
  }

  /**
   * Reads the requests that have come, and serves them in order. Those that must wait are parked.
   * @param now milliseconds of the engine's clock
   */
  drain(now: number): void {
    if (this.#toResend) {
      this.#readEverythingAgain();
      this.#toResend = false;
    } else if (this.#next === this.#queue.length) {
      this.#queue.length = this.#next = 0;
      this.#inbox.clear();
      this.#readRequests();
    }
    this.#applyInterrupts();
    this.#retry(DISK, now);
    this.#serveQueue(now);
    if (this.#toSettle && !this.waiting && !this.#parked.has(DISK)) {
      // All that was delivered again is answered or parked.
      this.#toSettle = false;
      this.#answers.settle();
      this.#notes.settle();
      this.#tree.settle(now);
    }
    this.#serveUnfinished(now);
  }

  /**
   * Goes on with what waits for a connection.
   * @param connection the id of one that has changed, or is gone
   * @param now milliseconds of the engine's clock
   */
  wake(connection: number, now: number): void {
    const notified = this.#polls.wake(connection, this.#tree);
    const served = this.#retry(connection, now);
    if (!notified || !served) this.#unfinished.add(connection);
  }

  stage(journal: Stage): void {
    for (const node of this.#tree.takeOutdated()) this.#invalidate(node);
    this.#answers.stage(journal);
  }

  get isTentative(): boolean {
    return this.#answers.isTentative;
  }

  /** A reply that fails has lost its reader. */
  send({ address }: ResidentMemory, offset: number, length: number): void {
    write(this.#fd, address + offset, length);
  }

  released(turn: number): void {
    this.#answers.released(turn);
  }

  /**
   * Has the kernel ask for the attributes of a node again: a struct fuse_notify_inval_inode_out, with an offset that spares what is cached of
   * the file. Nobody learns anything by it, so it leaves at once: before the commit of what it is about, so that no engine after this
   * one has to know. A node that the kernel does not know is ENOENT, which is as good.
   */
  #invalidate(node: number): void {
    const { view, address } = this.#notification;
    const size = OutSize.header + OutSize.notifyInvalInode;
    view.setUint32(0, size, true);
    view.setInt32(4, Notification.INVAL_INODE, true);
    setU64(view, 8, 0);
    setU64(view, OutSize.header, node);
    view.setBigInt64(OutSize.header + 8, -1n, true);
    view.setBigInt64(OutSize.header + 16, 0n, true);
    write(this.#fd, address, size);
  }

  /** Reads until nothing is left, the inbox is full, or the mount is gone. */
  #readRequests(): void {
    const inbox = this.#inbox;
    while (!inbox.full) {
      const length = inbox.read(this.#fd);
      if (length < 0) {
        if (length === -EAGAIN) return;
        // ENOENT: the request was aborted while it was read.
        if (length === -EINTR || length === -ENOENT) continue;
        assert(length === -ENODEV || length === -ECONNABORTED, `/dev/fuse can be read (${length})`);
        this.#unmounted = true;
        return;
      }
      crashPoint(this.#toResend ? 'amid-redelivery' : 'read-request');
      if (this.#accept(length)) inbox.advance(length);
    }
  }

  /** @returns whether the bytes of the request just read are to be kept */
  #accept(length: number): boolean {
    const { bytes, view, start } = this.#inbox;
    const request = this.#spare.pop() ?? new Request();
    if (request.parse(bytes, view, start, length)) {
      if (request.opcode === Opcode.INTERRUPT) {
        const key = interruptTarget(request);
        if (key !== undefined) this.#interrupts.push(key);
      } else if (!operationOf(request.opcode).silent) {
        this.#queue.push(request);
        return true;
      }
    }
    this.#spare.push(request);
    return false;
  }

  /**
   * Has every request delivered again that was not answered, and reads all there is: they come in no order, and one that is
   * interrupted before its INTERRUPT. (fs/fuse/dev.c, fuse_resend.) The first engine of a mount asks too, to no effect:
   * an engine may have read requests and died without a trace in the journal, so none can know that it is the first.
   */
  #readEverythingAgain(): void {
    const { view, address } = this.#notification;
    view.setUint32(0, OutSize.header, true);
    view.setInt32(4, Notification.RESEND, true);
    const written = write(this.#fd, address, OutSize.header);
    assert(written === OutSize.header || written === -ENODEV, `RESEND is known (${written})`);
    crashPoint('asked-again');
    const inbox = this.#inbox;
    for (let first = 0, full = true; full; first = this.#queue.length) {
      inbox.clear();
      this.#readRequests();
      full = inbox.full;
      for (let i = first; i < this.#queue.length; i += 1) this.#queue[i]!.keep();
    }
    inbox.clear();
    this.#queue.sort((a, b) => a.key - b.key);
    this.#takeBack();
  }

  /** What was read and never delivered, and is not in the journal, is to be read again: it comes again. */
  #takeBack(): void {
    for (const request of this.#queue) {
      const count = this.#answers.takeBack(request.key);
      if (count > 0) this.#tree.takeBack(openFileOf(request), count);
    }
  }

  #applyInterrupts(): void {
    for (const key of this.#interrupts) {
      let request = this.#parked.take(key);
      if (request !== undefined) this.#queue.push(request);
      else request = this.#queue.find((queued, i) => i >= this.#next && queued.key === key);
      if (request !== undefined) request.interrupted = true;
    }
    this.#interrupts.length = 0;
  }

  #serveQueue(now: number): void {
    while (this.#next < this.#queue.length) {
      const request = this.#queue[this.#next]!;
      const served = this.#serve(request, now);
      if (served === 'no room') return;
      if (served === 'no room before the disk') this.#parkFor(DISK, request);
      this.#next += 1;
    }
  }

  #serveUnfinished(now: number): void {
    if (!this.#polls.wakeRestored()) this.#unfinished.add(ANY_CONNECTION);
    else this.#unfinished.delete(ANY_CONNECTION);
    for (const connection of [...this.#unfinished]) {
      this.#unfinished.delete(connection);
      this.wake(connection, now);
    }
    if (!this.#retry(ANY_CONNECTION, now)) this.#unfinished.add(ANY_CONNECTION);
  }

  /** @returns false when there was no room for a reply */
  #retry(connection: number, now: number): boolean {
    let served: Served = 'done';
    for (const request of this.#parked.takeAll(connection)) {
      // Of those that the disk holds back, none is served before an older one.
      if (served === 'done' || (served !== 'no room' && connection !== DISK))
        served = this.#serve(request, now);
      if (served === 'no room') this.#parked.park(request, connection);
      else if (served !== 'done') this.#parked.park(request, DISK);
    }
    return served !== 'no room';
  }

  /** Answers the request or parks it. */
  #serve(request: Request, now: number): Served {
    const operation = operationOf(request.opcode);
    request.connection = this.#connectionOf(request, operation);
    if (request.resent) {
      // Before any look at `interrupted`: what was done is not undone. A program that goes on has its answer in spite of the signal,
      // and one that was killed takes the bytes of its READ with it, as it does when read(2) has just returned. The answer to an
      // OPEN has nobody to go to only when its program is killed in the moment between RESEND and the reading of what it brings: the
      // kernel then forgets the request, which looks here as if it had been answered, and the handle stays until the next mount.
      const reply = this.#answers.lookup(request.key);
      if (reply !== undefined) return this.#repeat(request, reply);
      if (request.note === 0) request.note = this.#notes.take(request.key);
    }
    if (request.interrupted && operation.blocking !== undefined) {
      return this.#interrupt(request, operation.blocking, now);
    }
    if (request.bodyLength < operation.minimum) return this.#refuse(request, EINVAL, false);
    const room = operation.room(request, this.#limit);
    const replies = this.#repliesTo(request, operation.effect);
    const start = replies.reserve(OutSize.header + room);
    if (start < 0) return this.#noRoom(replies);
    if (!this.#canChangeDurability(request, room)) return this.#noRoom(this.#replies.power);
    this.#service.bytes = replies.bytes;
    this.#service.view = replies.view;
    this.#service.start = start + OutSize.header;
    this.#service.room = room;
    this.#attempt(request, operation, replies, start, now);
    return 'done';
  }

  #noRoom(replies: Egress): Served {
    return replies === this.#replies.power ? 'no room before the disk' : 'no room';
  }

  /** An open file may be of another connection than its node, which is then only the way by which it was opened. */
  #connectionOf(request: Request, { handle, minimum }: Operation): number {
    if (handle === undefined || request.bodyLength < minimum) return connectionOf(request.node);
    return this.#tree.connectionOf(handle(request));
  }

  #repliesTo({ connection, node }: Request, effect: boolean): Egress {
    return this.#replies.to(connection, effect && !isReport(node));
  }

  /**
   * Only WRITE makes a connection outlive more, though not of its text, and only RELEASE makes one go of which nobody then knows what it
   * outlived; and then that is where the reply has to have room.
   */
  #canChangeDurability(request: Request, room: number): boolean {
    const { opcode, connection } = request;
    const isText = opcode === Opcode.WRITE && connection !== 0 && isStream(request.u64(0));
    if ((opcode !== Opcode.WRITE && opcode !== Opcode.RELEASE) || isText) return true;
    return this.#replies.power.reserve(OutSize.header + room) >= 0;
  }

  #attempt(
    request: Request,
    operation: Operation,
    replies: Egress,
    start: number,
    now: number,
  ): void {
    const call = this.#call;
    call.uid = request.uid;
    call.gid = request.gid;
    call.pid = request.pid;
    call.now = now;
    call.nonblocking = operation.blocking?.nonblocking(request) ?? false;
    call.note = request.note;
    call.returnable = 0;
    let length: number | typeof BLOCKED;
    let errno = 0;
    try {
      length = operation.serve(request, this.#service);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      errno = errnoNumber(error.errno);
      length = 0;
    }
    if (length !== BLOCKED) {
      const { effect } = operation;
      this.#answer(request, replies, start, errno, length, effect, call.returnable);
    } else if (call.nonblocking) {
      this.#answer(request, replies, start, EAGAIN, 0, call.note !== 0);
    } else {
      this.#park(request, operation, call.note);
    }
  }

  #park(request: Request, operation: Operation, note: number): void {
    assert(operation.blocking !== undefined, `opcode ${request.opcode} may be put off`);
    if (note !== request.note) {
      request.note = note;
      this.#notes.put(request.key, note);
    }
    const isOpen = operation.handle === undefined;
    const { node, connection } = request;
    this.#parkFor(isOpen ? this.#tree.openWaitsOn(node, note) : connection, request);
  }

  #parkFor(connection: number, request: Request): void {
    if (request.bytes === this.#inbox.bytes) request.keep();
    this.#parked.park(request, connection);
  }

  /** Answers with the reply that an engine before this one made. */
  #repeat(request: Request, reply: Uint8Array): Served {
    const replies = this.#repliesTo(request, true);
    const start = replies.reserve(reply.length);
    if (start < 0) return this.#noRoom(replies);
    replies.bytes.set(reply, start);
    const errno = -replies.view.getInt32(start + 4, true);
    this.#answer(request, replies, start, errno, reply.length - OutSize.header, true);
    return 'done';
  }

  #interrupt(request: Request, blocking: Blocking, now: number): Served {
    const hasEffect = request.note !== 0;
    const replies = this.#repliesTo(request, hasEffect);
    if (replies.reserve(OutSize.header) < 0) return this.#noRoom(replies);
    if (hasEffect) {
      this.#call.now = now;
      blocking.abandon?.(request, this.#service);
    }
    return this.#refuse(request, EINTR, hasEffect);
  }

  #refuse(request: Request, errno: number, effect: boolean): Served {
    const replies = this.#repliesTo(request, effect);
    const start = replies.reserve(OutSize.header);
    if (start < 0) return this.#noRoom(replies);
    this.#answer(request, replies, start, errno, 0, effect);
    return 'done';
  }

  /** Serving the request has changed how long its reply has to wait; or its connection is gone, and then it waits. */
  #moveReply(from: Egress, start: number, length: number): void {
    const to = this.#replies.power;
    if (from !== to) {
      const at = to.reserve(length);
      assert(at >= 0, 'there is room for a reply that has to wait longer');
      to.bytes.set(from.bytes.subarray(start, start + length), at);
    }
    to.commit(length);
  }

  /**
   * Completes the reply whose body is in place.
   * @param length bytes of the body
   * @param effect whether the request must not be served a second time
   * @param returnable see `Call.returnable`
   */
  #answer(
    request: Request,
    replies: Egress,
    start: number,
    errno: number,
    length: number,
    effect: boolean,
    returnable = 0,
  ): void {
    const { bytes, view } = replies;
    const total = OutSize.header + length;
    view.setUint32(start, total, true);
    view.setInt32(start + 4, -errno, true);
    view.setUint32(start + 8, request.uniqueLow, true);
    view.setUint32(start + 12, request.uniqueHigh, true);
    if (replies === this.#repliesTo(request, effect)) replies.commit(total);
    else this.#moveReply(replies, start, total);
    if (effect) this.#answers.record(request.key, bytes, start, total, returnable);
    if (request.note !== 0) this.#notes.delete(request.key);
    request.forget();
    this.#spare.push(request);
  }
}
