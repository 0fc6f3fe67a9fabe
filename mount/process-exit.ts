import { closeSync } from 'node:fs';
import { openPidfd, pollDescriptor } from './system-calls.ts';

/**
 * A handle on a running process that need not be a child of ours.
 * @returns a pidfd (pidfd_open(2)); undefined when the process is gone already
 */
export function openProcess(pid: number): number | undefined {
  return openPidfd(pid);
}

/** Resolves when the process is gone; a pidfd becomes readable after the kernel has closed all its descriptors. */
export async function processExit(process: number | undefined): Promise<void> {
  if (process === undefined) return;
  await pollDescriptor(process);
  closeSync(process);
}
