import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  MNT_DETACH,
  MS_NODEV,
  MS_NOSUID,
  mount as mountFileSystem,
  SystemCallError,
  UMOUNT_NOFOLLOW,
  umount2,
} from './system-calls.ts';

export const MOUNT_SUBTYPE = 'holdfast';

/** The type of our mounts in /proc/mounts. */
export const MOUNT_TYPE = `fuse.${MOUNT_SUBTYPE}`;

/** One of our mounts. */
export interface Mount {
  readonly mountpoint: string;
  /** The directory of its store. */
  readonly source: string;
  /** The minor number of its device, which is also the name of its connection under /sys/fs/fuse. */
  readonly minor: number;
  readonly readOnly: boolean;
}

/**
 * The Holdfast mount that is on top at `mountpoint`, if one is.
 * @param mountpoint absolute path
 */
export function findMount(mountpoint: string): Mount | undefined {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).findLast(
    (mount) => mount.mountpoint === mountpoint,
  );
}

/**
 * The Holdfast mount that `path` is in, if it is in one.
 * @param path absolute
 */
export function mountAround(path: string): Mount | undefined {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).findLast(
    ({ mountpoint }) => path === mountpoint || path.startsWith(`${mountpoint}/`),
  );
}

/** Our mounts among the lines of a mountinfo file, proc_pid_mountinfo(5), lowest first. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    // Fields 1 to 6 are fixed, then come optional ones up to a lone hyphen.
    const [before, after] = line.split(' - ');
    const [, , device, , mountpoint, options] = before?.split(' ') ?? [];
    const [type, source] = after?.split(' ') ?? [];
    if (type !== MOUNT_TYPE || !device || !mountpoint || !source || !options) continue;
    mounts.push({
      mountpoint: unescapeField(mountpoint),
      source: unescapeField(source),
      minor: Number(device.split(':')[1]),
      readOnly: options.split(',').includes('ro'),
    });
  }
  return mounts;
}

/** Space, tab, newline and backslash are octal there. Bytes, not characters, are escaped. */
function unescapeField(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/**
 * Ends the mount's connection to the kernel: whoever waits for an answer on it gets an error at once. Where the host
 * does not allow that, nothing happens.
 */
export function abortConnection(mountpoint: string): void {
  const mount = findMount(mountpoint);
  if (mount === undefined) return;
  if (abortIn('/sys/fs/fuse/connections', mount.minor)) return;
  // Nobody has mounted the control file system, so do it for a moment.
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-fusectl-'));
  try {
    mountFileSystem('fusectl', directory, 'fusectl', MS_NOSUID | MS_NODEV, '');
    abortIn(directory, mount.minor);
    umount2(directory, MNT_DETACH);
  } catch (error) {
    // EPERM: only root may. The last close of /dev/fuse has the same effect.
    if (!(error instanceof SystemCallError)) throw error;
  } finally {
    rmdirSync(directory);
  }
}

/** @returns whether the connection was there to be aborted */
function abortIn(controls: string, minor: number): boolean {
  try {
    writeFileSync(join(controls, String(minor), 'abort'), '1');
    return true;
  } catch {
    return false;
  }
}

/** Takes the mount at `mountpoint` off the tree of names, if there is one of ours; whoever is in it stays in it. */
export function detach(mountpoint: string): void {
  if (findMount(mountpoint) === undefined) return;
  try {
    umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW);
  } catch (error) {
    // EINVAL: somebody else was faster.
    if ((error as SystemCallError).code !== 'EINVAL') throw error;
  }
}

/**
 * Unmounts. A mount that programs still use is aborted first, so that none of them is left waiting for an answer that nobody
 * will give.
 */
export function unmount(mountpoint: string): void {
  if (findMount(mountpoint) === undefined) return;
  try {
    umount2(mountpoint, UMOUNT_NOFOLLOW);
  } catch (error) {
    if ((error as SystemCallError).code !== 'EBUSY') throw error;
    abortConnection(mountpoint);
    detach(mountpoint);
  }
}

/** How often the table of mounts is looked at, in milliseconds: the kernel offers nothing better to wait on than poll(2) on it. */
const INTERVAL_MILLISECONDS = 20;

/**
 * Waits for somebody else to unmount.
 * @param patience milliseconds
 * @returns whether nothing of ours is mounted there any more
 */
export async function waitUntilUnmounted(mountpoint: string, patience: number): Promise<boolean> {
  const deadline = performance.now() + patience;
  while (findMount(mountpoint) !== undefined) {
    if (performance.now() > deadline) return false;
    await delay(INTERVAL_MILLISECONDS);
  }
  return true;
}
