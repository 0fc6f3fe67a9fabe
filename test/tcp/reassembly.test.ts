import t from 'tap';
import { InvariantError } from '../../tcp/assert.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

t.test('ranges that touch or overlap become one', async (t) => {
  const reassembly = new Reassembly();
  t.equal(reassembly.isEmpty, true);
  reassembly.add(10, 20);
  reassembly.add(30, 40);
  t.same(reassembly.mostRecentFirst, [
    { from: 30, to: 40 },
    { from: 10, to: 20 },
  ]);
  reassembly.add(20, 30);
  t.same(reassembly.mostRecentFirst, [{ from: 10, to: 40 }]);
  reassembly.add(15, 16);
  t.same(reassembly.mostRecentFirst, [{ from: 10, to: 40 }]);
  reassembly.add(5, 50);
  t.same(reassembly.mostRecentFirst, [{ from: 5, to: 50 }]);
  t.equal(reassembly.isEmpty, false);
});

t.test(
  'SACK case 3 of RFC 2018 section 7: the 2nd, 4th, 6th and 8th of eight segments of 500 are lost',
  async (t) => {
    const reassembly = new Reassembly();
    for (const from of [6000, 7000, 8000]) reassembly.add(from, from + 500);
    t.equal(reassembly.advance(5500), 5500);
    t.same(reassembly.mostRecentFirst, [
      { from: 8000, to: 8500 },
      { from: 7000, to: 7500 },
      { from: 6000, to: 6500 },
    ]);
    reassembly.add(6500, 7000);
    t.same(reassembly.mostRecentFirst, [
      { from: 6000, to: 7500 },
      { from: 8000, to: 8500 },
    ]);
    t.equal(reassembly.advance(6000), 7500);
    t.same(reassembly.mostRecentFirst, [{ from: 8000, to: 8500 }]);
  },
);

t.test('one range more than there is room for is refused, unless it touches another', async (t) => {
  const reassembly = new Reassembly();
  for (let n = 0; n < Reassembly.MAX_RANGES; n++) t.equal(reassembly.add(10 * n, 10 * n + 5), true);
  const before = structuredClone(reassembly.mostRecentFirst);
  t.equal(reassembly.add(7, 8), false);
  t.same(reassembly.mostRecentFirst, before, 'a refusal changes nothing');
  t.equal(reassembly.add(5, 10), true);
  t.equal(reassembly.mostRecentFirst.length, Reassembly.MAX_RANGES - 1);
  t.equal(reassembly.add(17, 18), true);
});

t.test('clear forgets', async (t) => {
  const reassembly = new Reassembly();
  reassembly.add(1, 2);
  reassembly.clear();
  t.equal(reassembly.isEmpty, true);
  t.equal(reassembly.advance(1), 1);
});

t.test('an empty range is a defect of the caller', async (t) => {
  t.throws(() => new Reassembly().add(3, 3), InvariantError);
});

t.test('thousands of random operations agree with a set of bytes', async (t) => {
  for (let run = 0; run < 60; run++) {
    const reassembly = new Reassembly();
    const base = random.chance(0.5) ? 2 ** 32 - 200 : 2 ** 45;
    const model = new Set<number>();
    let end = 0;
    let lastAdded: number | undefined;
    for (let round = 0; round < 300; round++) {
      if (random.chance(0.9)) {
        const from = end + random.between(1, 500);
        const to = from + random.between(1, random.chance(0.8) ? 4 : 40);
        const ranges = rangesOf(model);
        const touches = ranges.some((range) => range.from <= to && from <= range.to);
        const expected = touches || ranges.length < Reassembly.MAX_RANGES;
        if (reassembly.add(base + from, base + to) !== expected) t.fail(`add ${from} to ${to}`);
        if (expected) {
          for (let byte = from; byte < to; byte++) model.add(byte);
          lastAdded = from;
        }
      } else {
        end += random.between(0, 60);
        const reached = reassembly.advance(base + end) - base;
        for (const byte of model) if (byte < end) model.delete(byte);
        while (model.delete(end)) end++;
        if (reached !== end) t.fail(`advance came to ${reached}, not ${end}`);
        lastAdded = undefined;
      }
      const ranges = [...reassembly.mostRecentFirst].map((r) => ({
        from: r.from - base,
        to: r.to - base,
      }));
      const sorted = ranges.toSorted((a, b) => a.from - b.from);
      if (JSON.stringify(sorted) !== JSON.stringify(rangesOf(model))) {
        t.same(sorted, rangesOf(model), `run ${run}, round ${round}`);
        return;
      }
      const first = ranges[0];
      if (lastAdded !== undefined && !(first && first.from <= lastAdded && lastAdded < first.to)) {
        t.fail(`run ${run}, round ${round}: ${lastAdded} is not in the first range`);
      }
    }
  }
  t.pass('in every round');
});

function rangesOf(bytes: Set<number>): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const byte of [...bytes].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === byte) last.to = byte + 1;
    else ranges.push({ from: byte, to: byte + 1 });
  }
  return ranges;
}
