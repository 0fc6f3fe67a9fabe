import { readdir, stat } from 'node:fs/promises';
import { HostError } from './host-error.ts';
import { makeDirectory } from './make-directory.ts';
import { detach, findMount } from './mount-table.ts';

/** A live tree answers a stat within a turn; one whose engine is being restarted, within this many milliseconds. */
const ANSWER_MILLISECONDS = 2000;

/**
 * Makes sure that something can be mounted at `mountpoint`: makes the directory if only that is missing, and detaches a dead mount of ours.
 * @throws HostError when a live mount or a file is in the way
 */
export async function prepareMountpoint(mountpoint: string): Promise<void> {
  const mount = findMount(mountpoint);
  if (mount !== undefined) {
    if (!(await isDead(mountpoint))) {
      throw new HostError(
        `${mountpoint} is busy: a live Holdfast is mounted there; holdfast umount ${mountpoint} ends it`,
      );
    }
    detach(mountpoint);
  }
  try {
    makeDirectory(mountpoint);
    await readdir(mountpoint);
  } catch (error) {
    throw new HostError(`nothing can be mounted at ${mountpoint}: ${(error as Error).message}`);
  }
}

/** A FUSE mount whose last descriptor is closed answers everything with ENOTCONN (fs/fuse/dev.c, fuse_abort_conn). */
async function isDead(mountpoint: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_MILLISECONDS);
  });
  const answer = stat(mountpoint).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOTCONN' || error.code === 'ECONNABORTED',
  );
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
