import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError } from './host-error.ts';
import { findMount } from './mount-table.ts';

/**
 * What the file `status` of a mounted tree says. Waits while no engine runs.
 * @throws HostError when nothing of ours is mounted there, or nobody serves it
 */
export async function treeStatus(mountpoint: string): Promise<string> {
  if (findMount(mountpoint) === undefined) {
    throw new HostError(`${mountpoint} is not a Holdfast mount`);
  }
  try {
    return await readFile(join(mountpoint, 'status'), 'utf8');
  } catch (error) {
    throw new HostError(
      `${mountpoint} is mounted, but nobody serves it (${(error as NodeJS.ErrnoException).code}); holdfast mount replaces it`,
    );
  }
}

/** The value of `key` in such a text. */
export function statusValue(status: string, key: string): string | undefined {
  for (const line of status.split('\n')) {
    const [name, value] = line.split(/\s+(.*)/);
    if (name === key) return value;
  }
  return undefined;
}
