// How long a reader of the tree waits when the engine is killed, and when it is upgraded, with so many idle connections.
//
//   npm run recovery -- [--connections 0,1000,100000] [--rounds 15]
import '../test/namespace.ts';
import { parseArgs } from 'node:util';
import { monotonicNow } from '../persist/clock.ts';
import { Daemon } from '../test/end-to-end/daemon.ts';
import { makeIdleStore, silenceIdlePeers } from './idle-store.ts';
import { Scope } from './scope.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '0,1000,100000' },
    rounds: { type: 'string', default: '15' },
  },
});

/** Between two deaths, so that a spare is ready and the keeper sees no loop. */
const REST_MILLISECONDS = 1500;

/** The longest wait between two answers, from `act` until another engine has answered, in milliseconds. */
async function gap(daemon: Daemon, act: () => Promise<void>): Promise<number> {
  const before = await daemon.epoch();
  await act();
  let last = monotonicNow();
  let longest = 0;
  for (let epoch = before; epoch === before; ) {
    epoch = await daemon.epoch();
    const now = monotonicNow();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

function summary(name: string, connections: number, gaps: number[]): string {
  const sorted = gaps.sort((a, b) => a - b);
  const [least, median, most] = [0, Math.floor(sorted.length / 2), sorted.length - 1].map((i) =>
    sorted[i]!.toFixed(1),
  );
  return `${name.padEnd(8)} ${String(connections).padStart(7)} connections: median ${median} ms (${least} to ${most})\n`;
}

for (const connections of values.connections.split(',').map(Number)) {
  await Scope.run(async (scope) => {
    const daemon = Daemon.prepare(scope);
    await makeIdleStore(daemon.store, connections, monotonicNow());
    const endSilence = silenceIdlePeers(connections);
    await daemon.mount();
    const actions = {
      kill: async () => void process.kill(await daemon.enginePid(), 'SIGKILL'),
      upgrade: async () => void process.kill(await daemon.keeperPid(), 'SIGHUP'),
    };
    for (const [name, act] of Object.entries(actions)) {
      const gaps: number[] = [];
      for (let round = 0; round < Number(values.rounds); round++) {
        await new Promise((resolve) => setTimeout(resolve, REST_MILLISECONDS));
        gaps.push(await gap(daemon, act));
      }
      process.stdout.write(summary(name, connections, gaps));
    }
    endSilence();
  });
}
