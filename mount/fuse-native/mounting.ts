import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { HostError } from '../host-error.ts';
import { detach, findMount, MOUNT_SUBTYPE } from '../mount-table.ts';
import { closeOnExec } from '../system-calls.ts';
import { FileInfo } from './file-info.ts';
import { loadFuseNative, type NativeHandler, type Operations } from './package.ts';

/** fuse-native has so many bytes for the mountpoint, and as many for the options (fuse_thread_t in fuse-native.c). */
const LONGEST = 1023;

/** How often it is looked whether somebody else has unmounted, in milliseconds: libfuse does not tell. */
const LOOK_MILLISECONDS = 500;

/**
 * As with the direct driver nothing is cached, and the kernel checks permissions.
 * - big_writes: else a WRITE has 4096 bytes at the most.
 * - atomic_o_trunc: O_TRUNC comes with OPEN, where it means nothing, and no truncation is made for it.
 * - hard_remove: a file that is open is not renamed to be removed, so unlink(2) has our answer.
 */
const OPTIONS = [
  'direct_io,entry_timeout=0,negative_timeout=0,attr_timeout=0,ac_attr_timeout=0',
  'default_permissions,big_writes,atomic_o_trunc,hard_remove,nonempty',
].join();

/** Makes the operations that libfuse's threads call; `info` tells of the open file that the one just called is about. */
export type OperationsWith = (info: () => FileInfo) => Operations;

/** One mount by libfuse, in this process. */
export class Mounting {
  readonly #config: Config;
  /** The memory of the thread that has just called. */
  #thread: Uint8Array = new Uint8Array();
  #hasEnded = false;

  constructor(config: Config) {
    this.#config = config;
  }

  /** Whether it was there, and has been unmounted. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Mounts, in place of what the engine before this one has left.
   * @throws HostError, in the promise
   */
  async mount(operations: OperationsWith): Promise<void> {
    const { mountpoint, store } = this.#config;
    const Fuse = loadFuseNative();
    const options = `-ofsname=${escaped(store)},subtype=${MOUNT_SUBTYPE},${OPTIONS}`;
    if ([mountpoint, options].some((text) => Buffer.byteLength(text) > LONGEST)) {
      throw new HostError(`${mountpoint} or ${store} is too long a path for libfuse`);
    }
    const served = operations(() => new FileInfo(this.#thread));
    const fuse = new Fuse(mountpoint, served, { timeout: false });
    fuse._fuseOptions = () => options;
    fuse._handlers.forEach((handler, operation, handlers) => {
      handlers[operation] = this.#noting(handler);
    });
    detach(mountpoint);
    await new Promise<void>((resolve, reject) => {
      fuse.mount((error) => {
        if (error === null) resolve();
        else reject(new HostError(`libfuse cannot mount at ${mountpoint}: ${error.message}`));
      });
    });
    keepDevice();
    setInterval(() => {
      this.#hasEnded ||= findMount(mountpoint) === undefined;
    }, LOOK_MILLISECONDS).unref();
  }

  #noting(handler: NativeHandler): NativeHandler {
    return (thread, ...rest) => {
      this.#thread = thread;
      handler(thread, ...rest);
    };
  }
}

/** libfuse would let every program that this process starts have /dev/fuse, and the mount would not die with the process. */
function keepDevice(): void {
  const directory = '/proc/self/fd';
  for (const descriptor of readdirSync(directory)) {
    try {
      if (readlinkSync(join(directory, descriptor)) === '/dev/fuse')
        closeOnExec(Number(descriptor));
    } catch {
      // The one that the directory was read by.
    }
  }
}

/** A value among the options of libfuse, where commas separate them. */
function escaped(value: string): string {
  return value.replace(/[\\,]/g, '\\$&');
}
