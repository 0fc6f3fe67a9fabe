// Goodput over a path with a round-trip time of 50 ms that loses packets: a mount and the host's kernel in turns, through the same
// hop with the same seeds; the other end is the kernel, and every kernel has CUBIC.
//
//   npm run lossy-path -- [--mib 64] [--loss 0,1,5] [--rounds 5] [--seed N] [--way out,in]
import '../test/namespace.ts';
import { parseArgs } from 'node:util';
import { BadPath, type Faults } from '../test/end-to-end/bad-path.ts';
import { makeFile, type Near, transfer, type Way } from '../test/end-to-end/bad-path-transfer.ts';
import { MIB } from '../test/end-to-end/bulk.ts';
import { Daemon } from '../test/end-to-end/daemon.ts';
import { Scope } from './scope.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '64' },
    loss: { type: 'string', default: '0,1,5' },
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    way: { type: 'string', default: 'out,in' },
  },
});
const size = Number(values.mib) * MIB;
const rounds = Number(values.rounds);
const firstSeed = Number(values.seed);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await Scope.run(async (scope) => {
  const daemon = await Daemon.start(scope);
  const sent = makeFile(daemon, size, firstSeed);
  const goodput = (near: Near, way: Way, faults: Faults, seed: number) =>
    Scope.run(async (inner) => {
      const path = await BadPath.start(inner, daemon.directory, seed, faults);
      const ended = await transfer(daemon, path, near, way);
      if (ended.received !== sent) throw new Error(`not what was sent: ${JSON.stringify(ended)}`);
      return size / 1e6 / (ended.duration / 1e3);
    });
  for (const percent of values.loss.split(',').map(Number)) {
    for (const way of values.way.split(',') as Way[]) {
      const results: Record<Near, number[]> = { mount: [], kernel: [] };
      for (let round = 0; round < rounds; round++) {
        for (const near of ['mount', 'kernel'] as const) {
          const result = await goodput(near, way, { loss: percent / 100 }, firstSeed + round);
          results[near].push(result);
          process.stderr.write(`${percent} % ${way} ${near} ${result.toFixed(3)} MB/s\n`);
        }
      }
      const mount = summary(results.mount);
      const kernel = summary(results.kernel);
      print(
        `${percent} % loss, ${way}: mount ${mount.text}, kernel ${kernel.text} MB/s, ratio ${(mount.median / kernel.median).toFixed(2)}`,
      );
    }
  }
});

function summary(values: number[]): { median: number; text: string } {
  const sorted = values.toSorted((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return {
    median,
    text: `${median.toFixed(2)} (${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)})`,
  };
}
