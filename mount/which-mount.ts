import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HostError } from './host-error.ts';
import { findMount, parseMountInfo } from './mount-table.ts';

/**
 * The mountpoint that a command means: the one that it was given, else `./net` if that is one, else the only one there is.
 * @throws HostError when there is none, or more than one
 */
export function whichMount(given: string | undefined): string {
  if (given !== undefined) {
    const mountpoint = resolve(given);
    if (findMount(mountpoint) === undefined) {
      throw new HostError(`${mountpoint} is not a Holdfast mount`);
    }
    return mountpoint;
  }
  const here = resolve('net');
  const mountpoints = new Set(
    parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(
      ({ mountpoint }) => mountpoint,
    ),
  );
  if (mountpoints.has(here)) return here;
  const [only, ...others] = mountpoints;
  if (only === undefined) throw new HostError('there is no Holdfast mount; see holdfast mount');
  if (others.length === 0) return only;
  throw new HostError(
    `there are several Holdfast mounts, so --mount has to name one: ${[...mountpoints].join(', ')}`,
  );
}
