import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from '../host-error.ts';

const SETTINGS_DIRECTORY = '/proc/sys/fs/fuse';

/**
 * Seconds after which the kernel aborts a mount that has not answered a request; 0 for never. The first is for every mount, the
 * second for those that ask for no time of their own, of which we are one (fs/fuse/inode.c, init_server_timeout). Since Linux 6.15.
 */
const SETTINGS = ['max_request_timeout', 'default_request_timeout'];

/**
 * A read that waits for a peer is a request without an answer: with a limit to that, any of them would end the mount.
 * @throws HostError when there is a limit
 */
export function demandPatience(directory = SETTINGS_DIRECTORY): void {
  for (const name of SETTINGS) {
    const seconds = secondsOf(join(directory, name));
    if (seconds === 0) continue;
    throw new HostError(
      `fs.fuse.${name} is ${seconds}: the kernel would end the mount when a read has waited for so many seconds; run "sysctl -w fs.fuse.${name}=0" as root`,
    );
  }
}

function secondsOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    // A kernel before these settings.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
