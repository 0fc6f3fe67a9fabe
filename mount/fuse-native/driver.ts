import type { Driver } from '../driver.ts';
import { newInstance } from '../mount-instance.ts';
import { Mounting } from './mounting.ts';
import { Session } from './session.ts';

/** Mounts by the npm package fuse-native: libfuse 2, in the engine, has /dev/fuse, and the mount dies with it. */
export const fuseNative: Driver = {
  limits: [
    'when the engine dies, programs get an error and open their files again; no call is repeated for them',
    'a program that waits can neither be interrupted nor killed until it has its answer or the tree is unmounted',
    'poll, select and epoll find every file ready',
    'only the user who mounts gets in',
  ],
  open: () => undefined,
  mount: () => ({ instance: newInstance() }),
  afterDeath: () => ({ instance: newInstance() }),
  session: ({ config, tree, replies }) =>
    new Session({ mounting: new Mounting(config), tree, replies }),
};
