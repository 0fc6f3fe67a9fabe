import type { News } from '../../fs/file.ts';
import type { StoredRecord } from '../../persist/record-store.ts';
import { Table } from '../../persist/table.ts';
import type { Egress } from '../../tcp/egress.ts';
import { ErrnoError } from '../../tcp/errno.ts';
import type { Stage } from '../stage.ts';
import type { ServedTree } from './operation.ts';
import { Notification, OutSize } from './protocol.ts';
import { getU64, setU64 } from './u64.ts';

/** A record: the mount instance and the kernel's poll handle, both u64. Its id is the tree's handle. */
const SIZE = 16;

/** Bits of poll(2) that are told whether asked for or not. */
const POLLERR = 0x08;
const POLLHUP = 0x10;
const POLLNVAL = 0x20;
const ALWAYS = POLLERR | POLLHUP | POLLNVAL;

/** The bits that say that there is something to read, or room to write (fs/poll.ts). */
const READABLE = 0x0041;
const WRITABLE = 0x0104;

/** What an open file was ready for when poll(2) looked. */
interface Seen {
  /** Bits of poll(2). */
  readonly events: number;
  readonly news: News | undefined;
}

interface PolledFile {
  /** The kernel's number for the open file, which a notification is about. */
  readonly kh: number;
  /** What somebody waits for, bits of poll(2); 0: nobody waits. */
  events: number;
  /** The connection it is ready by. */
  connection: number;
  /** What those who wait have been told. */
  seen: Seen;
}

const NOTHING_SEEN: Seen = { events: 0, news: undefined };

/**
 * Open files that programs wait on with poll(2), select(2) or epoll(7). The kernel asks once (POLL) and sleeps until it is notified;
 * each notification makes it ask again.
 */
export class Polls {
  readonly #journal: Stage;
  readonly #replies: Egress;
  readonly #instance: number;
  readonly #files = new Map<number, PolledFile>();
  /** The handles that somebody waits on, by connection. */
  readonly #waiting = new Map<number, Set<number>>();
  /** Restored handles whose waiters have not been woken yet. */
  readonly #restored: number[] = [];

  constructor(journal: Stage, replies: Egress, instance: number) {
    this.#journal = journal;
    this.#replies = replies;
    this.#instance = instance;
  }

  /** Takes in what the engine before journaled. Poll handles of another mount are dropped, also from the journal. */
  restore(records: Iterable<StoredRecord>): void {
    for (const { id, value } of [...records]) {
      const view = new DataView(value.buffer, value.byteOffset, value.length);
      if (value.length === SIZE && getU64(view, 0) === this.#instance) {
        this.#files.set(id, {
          kh: getU64(view, 8),
          events: 0,
          connection: 0,
          seen: NOTHING_SEEN,
        });
        this.#restored.push(id);
      } else {
        this.#journal.delete(Table.poll, id, 0);
      }
    }
  }

  /**
   * Remembers that somebody waits.
   * @param handle the tree's
   * @param events bits of poll(2)
   * @param connection the id of the connection that decides
   * @param seen what it has been told
   */
  arm(handle: number, kh: number, events: number, connection: number, seen: Seen): void {
    let file = this.#files.get(handle);
    if (file?.kh !== kh) {
      file = { kh, events: 0, connection, seen };
      this.#files.set(handle, file);
      this.#record(handle, kh);
    }
    if (file.connection !== connection) this.#waiting.get(file.connection)?.delete(handle);
    file.connection = connection;
    // Several programs may wait on one open file, each for something else, and each since another time: the oldest counts.
    file.seen = file.events === 0 ? seen : without(file.seen, seen.events);
    file.events |= events;
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) this.#waiting.set(connection, new Set([handle]));
    else waiting.add(handle);
  }

  /** The file is closed. */
  forget(handle: number): void {
    const file = this.#files.get(handle);
    if (file === undefined) return;
    this.#files.delete(handle);
    this.#disarm(handle, file);
    this.#journal.delete(Table.poll, handle, 0);
  }

  /**
   * Notifies whoever waits for what `connection` has become ready for.
   * @returns false when there was no room for all; to be called again
   */
  wake(connection: number, tree: ServedTree): boolean {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) return true;
    for (const handle of waiting) {
      const file = this.#files.get(handle)!;
      const ready = readiness(tree, handle);
      if ((unseen(file.seen, ready, tree.news(handle)) & (file.events | ALWAYS)) === 0) {
        file.seen = without(file.seen, ready);
        continue;
      }
      if (!this.#notify(file.kh)) return false;
      this.#disarm(handle, file);
    }
    return true;
  }

  /**
   * Notifies everybody who waited when the engine before died: what they waited for may have come in between.
   * @returns false when there was no room for all; to be called again
   */
  wakeRestored(): boolean {
    while (this.#restored.length > 0) {
      const file = this.#files.get(this.#restored.at(-1)!);
      if (file !== undefined && !this.#notify(file.kh)) return false;
      this.#restored.pop();
    }
    return true;
  }

  #disarm(handle: number, file: PolledFile): void {
    file.events = 0;
    const waiting = this.#waiting.get(file.connection);
    waiting?.delete(handle);
    if (waiting?.size === 0) this.#waiting.delete(file.connection);
  }

  /** A struct fuse_out_header with `unique` 0, and a struct fuse_notify_poll_wakeup_out. */
  #notify(kh: number): boolean {
    const size = OutSize.header + OutSize.notifyPoll;
    const start = this.#replies.reserve(size);
    if (start < 0) return false;
    const { view } = this.#replies;
    view.setUint32(start, size, true);
    view.setInt32(start + 4, Notification.POLL, true);
    setU64(view, start + 8, 0);
    setU64(view, start + OutSize.header, kh);
    this.#replies.commit(size);
    return true;
  }

  #record(handle: number, kh: number): void {
    const value = new Uint8Array(SIZE);
    const view = new DataView(value.buffer);
    setU64(view, 0, this.#instance);
    setU64(view, 8, kh);
    this.#journal.put(Table.poll, handle, 0, value);
  }
}

/** What is ready no more will be news when it is ready again. */
function without({ events, news }: Seen, ready: number): Seen {
  return { events: events & ready, news };
}

/** Those bits of `ready` that stand for something that those who wait have not been told. */
function unseen(seen: Seen, ready: number, news: News | undefined): number {
  if (seen.news === undefined || news === undefined) return ready;
  let bits = ready & ~seen.events;
  if (news.arrivals !== seen.news.arrivals) bits |= ready & READABLE;
  if (news.refusals !== seen.news.refusals) bits |= ready & WRITABLE;
  return bits;
}

function readiness(tree: ServedTree, handle: number): number {
  try {
    return tree.poll(handle);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return POLLERR;
  }
}
