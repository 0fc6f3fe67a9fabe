import { HostError } from './host-error.ts';
import { abortConnection, detach, findMount, waitUntilUnmounted } from './mount-table.ts';
import { onlyMountpoint } from './only-mountpoint.ts';
import { lockHolder, waitUntilUnlocked } from './store-lock.ts';

/** How long a keeper may take before the connection to the kernel is aborted under it, and to end after that, in milliseconds. */
const PATIENCE_MILLISECONDS = 10_000;

/** `holdfast umount MOUNTPOINT`: asks the keeper, and does it without the keeper where there is none that answers. */
export async function umountCommand(argv: readonly string[]): Promise<void> {
  const mountpoint = onlyMountpoint('umount', argv);
  const mount = findMount(mountpoint);
  if (mount === undefined) throw new HostError(`${mountpoint} is not a Holdfast mount`);
  const keeper = lockHolder(mount.source);
  if (keeper !== undefined) {
    try {
      process.kill(keeper, 'SIGTERM');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPERM') {
        throw new HostError(`${mountpoint} belongs to another user; run this as root`);
      }
    }
    if (await waitUntilUnmounted(mountpoint, PATIENCE_MILLISECONDS)) {
      // What is typed next may want the store, or the interface.
      await waitUntilUnlocked(mount.source, PATIENCE_MILLISECONDS);
      return;
    }
  }
  abortConnection(mountpoint);
  detach(mountpoint);
}
