import { createRequire } from 'node:module';
import koffi from 'koffi';
import { HostError } from '../host-error.ts';

/**
 * As much as is used of the npm package fuse-native, which has no types of its own. Version 2.2.6 and no other: what begins with
 * an underscore is not meant for us, but mount options are passed by nothing else.
 */
export interface FuseNative {
  new (
    mountpoint: string,
    operations: Operations,
    /** false: an operation may take for ever */
    options: { readonly timeout: false },
  ): NativeMount;
}

/** One mount by libfuse. */
export interface NativeMount {
  /** What libfuse is given as its command line. */
  _fuseOptions: () => string;
  /** What libfuse's threads call, by operation; each is given the memory of its thread first, and calls one of `Operations`. */
  readonly _handlers: NativeHandler[];
  mount(done: (error: Error | null) => void): void;
}

export type NativeHandler = (thread: Uint8Array, ...rest: unknown[]) => void;

/** Answers libfuse: 0 or a count, or an errno, negative; then what the operation is asked for. Until then a thread waits. */
export type Reply = (result: number, ...values: unknown[]) => void;

/** The operations of fuse.h in libfuse 2 that are used. libfuse answers for those that are not there. */
export interface Operations {
  getattr(path: string, reply: Reply): void;
  readdir(path: string, reply: Reply): void;
  chmod(path: string, mode: number, reply: Reply): void;
  chown(path: string, uid: number, gid: number, reply: Reply): void;
  utimens(path: string, accessed: number, modified: number, reply: Reply): void;
  truncate(path: string, size: number, reply: Reply): void;
  mkdir(path: string, mode: number, reply: Reply): void;
  rmdir(path: string, reply: Reply): void;
  open(path: string, flags: number, reply: Reply): void;
  read(
    path: string,
    file: number,
    target: Uint8Array,
    length: number,
    offset: number,
    reply: Reply,
  ): void;
  write(
    path: string,
    file: number,
    source: Uint8Array,
    length: number,
    offset: number,
    reply: Reply,
  ): void;
  release(path: string, file: number, reply: Reply): void;
  create(path: string, mode: number, reply: Reply): void;
  mknod(path: string, mode: number, device: number, reply: Reply): void;
  unlink(path: string, reply: Reply): void;
  symlink(target: string, path: string, reply: Reply): void;
  link(path: string, name: string, reply: Reply): void;
  rename(path: string, name: string, reply: Reply): void;
}

/**
 * Loads the package, which nothing but this driver needs, and before it the libfuse that comes with it: the package looks for
 * one that is installed, and takes one that is loaded.
 * @throws HostError
 */
export function loadFuseNative(): FuseNative {
  const require = createRequire(import.meta.url);
  try {
    koffi.load((require('fuse-shared-library') as { readonly lib: string }).lib);
    return require('fuse-native') as FuseNative;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new HostError(`--driver fuse-native needs the npm package fuse-native: ${reason}`);
  }
}
