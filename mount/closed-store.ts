import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../fs/attempt.ts';
import { NO_SOURCES } from '../fs/sources.ts';
import type { Tree } from '../fs/tree.ts';
import { monotonicNow } from '../persist/clock.ts';
import { removeConnection, stageConnection } from '../persist/connections.ts';
import { Journal } from '../persist/journal.ts';
import { TURN_FILE } from '../persist/layout.ts';
import { REMEDY, StoreError } from '../persist/store-error.ts';
import { witnessOf } from '../persist/witness.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Stack, StackOptions } from '../tcp/stack.ts';
import { CONNECTION_FILES } from './connection-files.ts';
import { crashPoint } from './crash-point.ts';
import { HostError } from './host-error.ts';
import { restoreStack, restoreTree } from './restored.ts';
import { lockStore } from './store-lock.ts';

/** What the stack of a store is given that nobody mounts. */
export type Addresses = Pick<StackOptions, 'address' | 'prefix' | 'address6'>;

/** As `mount` has it unless told otherwise. */
const MTU = 1500;

/**
 * The tree of a store that no daemon uses. To the store this is an engine that nobody has asked for anything but this, and to
 * the network nothing at all.
 */
export class ClosedStore {
  readonly #journal: Journal;
  readonly #stack: Stack;
  readonly tree: Tree;
  readonly #lock: number;

  private constructor(store: string, addresses: Addresses, lock: number) {
    this.#lock = lock;
    const journal = Journal.open(store, { witness: witnessOf(store) });
    this.#journal = journal;
    const now = monotonicNow();
    journal.facts.epoch += 1;
    this.#stack = restoreStack(journal, { ...addresses, mtu: MTU, now });
    const sources = { ...NO_SOURCES, connectionFiles: CONNECTION_FILES };
    this.tree = restoreTree(journal, this.#stack, sources);
    this.#stack.resume(now, journal.facts.absence(now, Date.now()));
  }

  /** @throws HostError when it is no store, or a daemon uses it, or it cannot be used */
  static async open(store: string, addresses: Addresses): Promise<ClosedStore> {
    if (!existsSync(join(store, TURN_FILE)))
      throw new HostError(`${store} is neither a Holdfast mount nor a store`);
    const lock = await lockStore(store);
    try {
      return new ClosedStore(store, addresses, lock);
    } catch (error) {
      closeSync(lock);
      if (error instanceof StoreError) throw new HostError(error.message);
      if (!(error instanceof RecordError)) throw error;
      throw new HostError(`the store ${store} is damaged: ${error.message}; ${REMEDY}`);
    }
  }

  /** Root's, for whoever may change the store may do anything with it. */
  get call(): Call {
    const now = monotonicNow();
    const { pid } = process;
    return { uid: 0, gid: 0, pid, now, nonblocking: true, note: 0, returnable: 0 };
  }

  /** Has all that was done take effect: it is on the disk, and the store is free again. */
  async close(): Promise<void> {
    const [journal, stack] = [this.#journal, this.#stack];
    const removed = stack.takeRemoved();
    this.tree.note(stack.takeChanged(), removed);
    for (const pcb of removed) removeConnection(journal, pcb);
    for (const pcb of stack.takeDirty()) stageConnection(journal, pcb);
    journal.facts.nextId = stack.nextId;
    try {
      crashPoint('before-commit');
      journal.commit();
      crashPoint('after-commit');
      await journal.close();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new HostError(error.message);
    } finally {
      closeSync(this.#lock);
    }
  }
}
