import { resolve } from 'node:path';
import { UsageError } from './usage.ts';

/** The one argument of a command that takes a mountpoint and nothing else, as an absolute path. */
export function onlyMountpoint(command: string, argv: readonly string[]): string {
  const [mountpoint, ...rest] = argv;
  if (mountpoint === undefined || mountpoint.startsWith('-') || rest.length > 0) {
    throw new UsageError(`${command} takes one mountpoint`);
  }
  return resolve(mountpoint);
}
