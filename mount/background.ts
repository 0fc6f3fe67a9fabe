import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Config } from './config.ts';

/**
 * Starts the same mount in a session of its own, and waits until it is ready or has failed; the exit code is then this process'.
 * @param argv what followed `mount` on the command line
 */
export async function startInBackground(config: Config, argv: readonly string[]): Promise<void> {
  const foreground = argv.filter((argument) => argument !== '--daemon');
  const named = argv.some((argument) => argument.startsWith('--log-file'));
  const log = named || config.logFile === undefined ? [] : ['--log-file', config.logFile];
  const child = spawn(process.execPath, [process.argv[1]!, 'mount', ...foreground, ...log], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.pipe(process.stderr);
  const ready = new Promise<undefined>((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => {
      process.stdout.write(`${line}\n`);
      resolve(undefined);
    });
  });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? 1));
  });
  process.exit((await Promise.race([ready, ended])) ?? 0);
}
