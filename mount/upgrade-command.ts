import { setTimeout as delay } from 'node:timers/promises';
import { demandThawed } from './freeze-command.ts';
import { HostError } from './host-error.ts';
import { findMount } from './mount-table.ts';
import { onlyMountpoint } from './only-mountpoint.ts';
import { lockHolder } from './store-lock.ts';
import { statusValue, treeStatus } from './tree-status.ts';

/** How often the tree is asked who serves it, in milliseconds. */
const INTERVAL_MILLISECONDS = 20;

/** The keeper gives each step of an upgrade 10 seconds. */
const PATIENCE_MILLISECONDS = 60_000;

/** `holdfast upgrade MOUNTPOINT`: asks the keeper for it, and waits until it is done or has failed. */
export async function upgradeCommand(argv: readonly string[]): Promise<void> {
  const mountpoint = onlyMountpoint('upgrade', argv);
  await demandThawed(mountpoint);
  const before = await treeStatus(mountpoint);
  askKeeper(mountpoint);
  for (let waited = 0; waited < PATIENCE_MILLISECONDS; waited += INTERVAL_MILLISECONDS) {
    await delay(INTERVAL_MILLISECONDS);
    // Where the mount dies with its engine, nobody serves it for a moment.
    const now = await treeStatus(mountpoint).catch(() => before);
    const hasChanged = (key: string) => statusValue(now, key) !== statusValue(before, key);
    if (hasChanged('engine_pid')) {
      process.stdout.write(`holdfast: upgraded to version ${statusValue(now, 'version')}\n`);
      return;
    }
    if (hasChanged('failed_upgrades')) {
      const reason = statusValue(now, 'upgrade_error');
      throw new HostError(`not upgraded, the old engine goes on: ${reason}`);
    }
  }
  throw new HostError(`the keeper of ${mountpoint} does not answer`);
}

function askKeeper(mountpoint: string): void {
  const keeper = lockHolder(findMount(mountpoint)?.source ?? '');
  if (keeper === undefined) throw new HostError(`${mountpoint} has no keeper`);
  try {
    process.kill(keeper, 'SIGHUP');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    throw new HostError(`${mountpoint} belongs to another user; run this as root`);
  }
}
