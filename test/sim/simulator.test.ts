import t from 'tap';
import { FAILED_SEEDS } from './failed-seeds.ts';
import { runSeeds } from './seeds.ts';
import { simulate } from './simulation.ts';
import { Trace } from './trace.ts';

t.setTimeout(300_000);

/** Always the same, so that a failure is the change's and not the day's; `npm run sim` begins elsewhere each time. */
const FIRST = 1n;
const COUNT = 300;

function said(failures: readonly { seed: string; failure: string }[]): string[] {
  return failures.map(({ seed, failure }) => `npm run sim -- --seed ${seed}: ${failure}`);
}

t.test(`${COUNT} seeds`, async (t) => {
  const tally = await runSeeds({ first: FIRST, count: COUNT, until: Infinity, processes: 2 });
  t.equal(tally.seeds, COUNT);
  t.ok(tally.datagrams > 0);
  t.ok(tally.happenings.freezes > 0 && tally.happenings.moves > 0);
  t.strictSame(said(tally.failures), []);
});

t.test('seeds that once failed', async (t) => {
  for (const { seed, found } of FAILED_SEEDS) {
    const { failure } = simulate(seed);
    t.equal(failure, undefined, `npm run sim -- --seed ${seed}: ${found}`);
  }
});

t.test('a seed is the same each time, whether or not it is watched', async (t) => {
  const traces = [new Trace(), new Trace()];
  const results = traces.map((trace) => simulate(FIRST, trace));
  t.strictSame(results[0], results[1]);
  t.strictSame(results[0], simulate(FIRST));
  t.ok(traces[0]!.lines.length > 0);
  t.equal(traces[0]!.lines.join('\n'), traces[1]!.lines.join('\n'));
  t.ok(Buffer.from(traces[0]!.pcap).equals(traces[1]!.pcap));
});
