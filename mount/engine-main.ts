import { Socket } from 'node:net';
import { STORE_LAYOUT } from '../persist/store-layout.ts';
import { Control, type ToEngine, type ToKeeper } from './control.ts';
import { Descriptor } from './descriptors.ts';
import { Engine } from './engine.ts';
import { unprotectFromOutOfMemory } from './out-of-memory.ts';
import { closeOnExec } from './system-calls.ts';

// A child of this process (its next keeper) gets the descriptors by being given them, never by accident:
// a stray holder of /dev/fuse keeps a dead mount half alive.
for (const descriptor of Object.values(Descriptor)) closeOnExec(descriptor);
unprotectFromOutOfMemory();

// A terminal sends its signals to keeper and engine alike; only the keeper acts on them.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});

const engine = new Engine();
const control = new Control<ToKeeper, ToEngine>(
  new Socket({ fd: Descriptor.control }),
  (message) => engine.onMessage(message),
  () => engine.onKeeperDeath(),
);
engine.start(control);
control.send({ type: 'loaded', layout: STORE_LAYOUT });
