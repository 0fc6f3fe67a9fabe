import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCK_FILE } from '../persist/store-lock.ts';
import { HostError } from './host-error.ts';
import { makeDirectory } from './make-directory.ts';
import { tryLock } from './system-calls.ts';

/** How long engines may take to notice that their keeper is dead, in milliseconds: a spare has to be loaded for that. */
const ORPHANS_MILLISECONDS = 2000;
const INTERVAL_MILLISECONDS = 10;

/**
 * Locks the store for this keeper and its engines: flock(2), which lasts as long as any of them has the descriptor.
 * @returns the locked descriptor
 * @throws HostError when another daemon has the store, or the directory cannot be made or written
 */
export async function lockStore(store: string): Promise<number> {
  let descriptor: number;
  try {
    makeDirectory(store, 0o700);
    descriptor = openSync(join(store, LOCK_FILE), constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw new HostError(`the store ${store} cannot be used: ${(error as Error).message}`);
  }
  for (let waited = 0; !tryLock(descriptor); waited += INTERVAL_MILLISECONDS) {
    if (isHolderAlive(store) || waited > ORPHANS_MILLISECONDS) {
      closeSync(descriptor);
      throw new HostError(`${inUse(store, 'another')}; use another --store`);
    }
    await delay(INTERVAL_MILLISECONDS);
  }
  signLock(descriptor);
  return descriptor;
}

function isHolderAlive(store: string): boolean {
  const pid = pidIn(store);
  return pid !== undefined && existsSync(`/proc/${pid}`);
}

/**
 * The same for somebody who only reads: nothing is made or written.
 * @returns undefined when the store has no lock: then no daemon has it
 * @throws HostError when a daemon has the store
 */
export function lockUnchanged(store: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(store, LOCK_FILE), constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HostError(`the store ${store} cannot be read: ${(error as Error).message}`);
  }
  if (tryLock(descriptor)) return descriptor;
  closeSync(descriptor);
  throw new HostError(`${inUse(store, 'a')}; unmount it first`);
}

/** Writes this process' id into the lock it holds. */
export function signLock(descriptor: number): void {
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`, 0);
}

/** The keeper that holds the lock of `store`, if one does. */
export function lockHolder(store: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(store, LOCK_FILE), constants.O_RDWR);
  } catch {
    return undefined;
  }
  try {
    return tryLock(descriptor) ? undefined : pidIn(store);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Resolves when no process of a daemon has `store` any more.
 * @param patience milliseconds after which that is enough
 */
export async function waitUntilUnlocked(store: string, patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  while (lockHolder(store) !== undefined && performance.now() < deadline) {
    await delay(INTERVAL_MILLISECONDS);
  }
}

function inUse(store: string, which: string): string {
  const holder = pidIn(store);
  return `the store ${store} is in use by ${which} daemon${holder === undefined ? '' : ` (pid ${holder})`}`;
}

function pidIn(store: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(store, LOCK_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
