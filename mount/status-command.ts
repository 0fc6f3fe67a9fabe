import { onlyMountpoint } from './only-mountpoint.ts';
import { treeStatus } from './tree-status.ts';

/** `holdfast status MOUNTPOINT`: what the tree's own `status` says. */
export async function statusCommand(argv: readonly string[]): Promise<void> {
  process.stdout.write(await treeStatus(onlyMountpoint('status', argv)));
}
