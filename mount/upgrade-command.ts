import { demandThawed } from './freeze-command.ts';
import { HostError } from './host-error.ts';
import { askKeeper } from './keeper-socket.ts';
import { findMount } from './mount-table.ts';
import { onlyMountpoint } from './only-mountpoint.ts';
import { statusValue, treeStatus } from './tree-status.ts';

/** `holdfast upgrade MOUNTPOINT`: asks the keeper for it, and waits until it is done or has failed. */
export async function upgradeCommand(argv: readonly string[]): Promise<void> {
  const mountpoint = onlyMountpoint('upgrade', argv);
  await demandThawed(mountpoint);
  const mount = findMount(mountpoint);
  if (mount === undefined) throw new HostError(`${mountpoint} is not a Holdfast mount`);
  const answer = await askKeeper(mount.source, { ask: 'upgrade' });
  if (answer === undefined) throw new HostError(`the keeper of ${mountpoint} does not answer`);
  if (answer.error !== undefined) throw new HostError(answer.error);
  const version = statusValue(await treeStatus(mountpoint), 'version');
  process.stdout.write(`holdfast: upgraded to version ${version}\n`);
}
