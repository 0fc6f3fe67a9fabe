import { HostError } from './host-error.ts';
import { askKeeper } from './keeper-socket.ts';
import { findMount } from './mount-table.ts';
import { onlyMountpoint } from './only-mountpoint.ts';

/** `holdfast freeze MOUNTPOINT`: no engine serves any more, until it is thawed. */
export function freezeCommand(argv: readonly string[]): Promise<void> {
  return ask('freeze', argv);
}

/** `holdfast thaw MOUNTPOINT`: an engine serves again. */
export function thawCommand(argv: readonly string[]): Promise<void> {
  return ask('thaw', argv);
}

async function ask(command: 'freeze' | 'thaw', argv: readonly string[]): Promise<void> {
  const mountpoint = onlyMountpoint(command, argv);
  const mount = findMount(mountpoint);
  if (mount === undefined) throw new HostError(`${mountpoint} is not a Holdfast mount`);
  const answer = await askKeeper(mount.source, { ask: command });
  if (answer === undefined) throw new HostError(`the keeper of ${mountpoint} does not answer`);
  if (answer.error !== undefined) throw new HostError(`${mountpoint} ${answer.error}`);
}

/**
 * Refuses what would wait for an engine.
 * @throws HostError when the mount is frozen
 */
export async function demandThawed(mountpoint: string): Promise<void> {
  const source = findMount(mountpoint)?.source;
  if (source !== undefined && (await isFrozen(source))) {
    throw new HostError(`${mountpoint} is frozen; holdfast thaw has it go on`);
  }
}

/** Whether the daemon that has `store` is frozen. */
export async function isFrozen(store: string): Promise<boolean> {
  return (await askKeeper(store, { ask: 'state' }))?.isFrozen === true;
}
