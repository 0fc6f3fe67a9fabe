import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Descriptor } from './descriptors.ts';

/** The descriptors that a keeper holds and every engine gets. */
export interface HeldDescriptors {
  /** Where the driver has the keeper hold one. */
  readonly fuse: number | undefined;
  readonly tun: number;
  readonly lock: number;
}

/**
 * Starts a process of the daemon, which finds the descriptors where `Descriptor` says.
 * @param main the module that it runs, beside this one
 * @param held those that it gets
 * @returns undefined when the host has no room for another process
 */
export function startProcess(main: string, held: HeldDescriptors): ChildProcess | undefined {
  const stdio: (string | number)[] = ['ignore', 'inherit', 'inherit'];
  stdio[Descriptor.fuse] = held.fuse ?? 'ignore';
  stdio[Descriptor.tun] = held.tun;
  stdio[Descriptor.lock] = held.lock;
  stdio[Descriptor.control] = 'pipe';
  const path = fileURLToPath(new URL(main, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', path], {
    stdio: stdio as ('ignore' | 'inherit' | 'pipe' | number)[],
  });
  // It comes as an event too, which nobody else would take.
  child.on('error', () => {});
  return child.pid === undefined ? undefined : child;
}
