import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILE } from '../persist/store-lock.ts';
import { HostError } from './host-error.ts';
import { makeDirectory } from './make-directory.ts';
import { tryLock } from './system-calls.ts';

/**
 * Locks the store for this keeper and its engines: flock(2), which lasts as long as any of them has the descriptor.
 * @returns the locked descriptor
 * @throws HostError when another daemon has the store, or the directory cannot be made or written
 */
export function lockStore(store: string): number {
  let descriptor: number;
  try {
    makeDirectory(store, 0o700);
    descriptor = openSync(join(store, LOCK_FILE), constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw new HostError(`the store ${store} cannot be used: ${(error as Error).message}`);
  }
  if (!tryLock(descriptor)) {
    closeSync(descriptor);
    const holder = pidIn(store);
    throw new HostError(
      `the store ${store} is in use by another daemon${holder === undefined ? '' : ` (pid ${holder})`}; use another --store`,
    );
  }
  signLock(descriptor);
  return descriptor;
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

function pidIn(store: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(store, LOCK_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
