import { join } from 'node:path';
import type { Test } from 'tap';
import type { Daemon } from './daemon.ts';

/** Runs a program of `programs/`, which tries the mount case by case, and reports its cases as tests. */
export async function runCases(t: Test, daemon: Daemon, program: string): Promise<void> {
  const path = join(import.meta.dirname, 'programs', program);
  await t.spawn('python3', ['-B', path], { cwd: daemon.directory }, program);
}
