import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError } from './host-error.ts';
import { findMount } from './mount-table.ts';
import { onlyMountpoint } from './only-mountpoint.ts';

/** `holdfast status MOUNTPOINT`: what the tree's own `status` says. */
export async function statusCommand(argv: readonly string[]): Promise<void> {
  const mountpoint = onlyMountpoint('status', argv);
  if (findMount(mountpoint) === undefined) {
    throw new HostError(`${mountpoint} is not a Holdfast mount`);
  }
  try {
    process.stdout.write(await readFile(join(mountpoint, 'status'), 'utf8'));
  } catch (error) {
    throw new HostError(
      `${mountpoint} is mounted, but nobody serves it (${(error as NodeJS.ErrnoException).code}); holdfast mount replaces it`,
    );
  }
}
