import { Socket } from 'node:net';
import type { Config } from './config.ts';
import type { Mounted } from './control.ts';
import { Descriptor } from './descriptors.ts';
import { EngineProcess } from './engine-process.ts';
import { Keeper } from './keeper.ts';
import { openLog } from './log.ts';
import { protectFromOutOfMemory } from './out-of-memory.ts';
import { runKeeper } from './run-keeper.ts';
import { signLock } from './store-lock.ts';
import { closeOnExec } from './system-calls.ts';

/** What an engine whose keeper has died tells the keeper it starts in its place. */
export interface Succession {
  readonly config: Config;
  readonly mounted: Mounted;
  readonly enginePid: number;
  /** Whether it has yet to be told to serve. Missing in what an engine says that knows of no stand-in. */
  readonly isWaiting?: boolean;
}

for (const descriptor of Object.values(Descriptor)) closeOnExec(descriptor);
const { config, mounted, enginePid, isWaiting } = JSON.parse(process.argv[2]!) as Succession;
const { fuse, tun, lock, control } = Descriptor;
signLock(lock);
protectFromOutOfMemory();
const keeper = new Keeper(config, { fuse, tun, lock }, openLog(config, 'keeper'));
keeper.adopt(
  new EngineProcess(enginePid, new Socket({ fd: control })),
  mounted,
  isWaiting === true,
);
await runKeeper(keeper, config.store);
