import t from 'tap';
import {
  seqAdd,
  seqInWindow,
  seqLessOrEqual,
  seqLessThan,
  seqMax,
  seqMin,
  seqSub,
} from '../../tcp/sequence.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

t.test('a number n further on is n away and greater, wherever the circle begins', async (t) => {
  for (let round = 0; round < 10_000; round++) {
    const a = random.chance(0.2) ? seqAdd(0, random.between(-3, 3)) : random.u32();
    const n = random.chance(0.2) ? random.between(1, 3) : random.between(1, 2 ** 31 - 1);
    const b = seqAdd(a, n);
    const label = `${a} + ${n}`;
    if (b !== Number((BigInt(a) + BigInt(n)) % 2n ** 32n)) t.fail(`${label} is not ${b}`);
    if (seqSub(b, a) !== n || seqSub(a, b) !== -n) t.fail(`distance of ${label}`);
    if (!seqLessThan(a, b) || seqLessThan(b, a)) t.fail(`${label}: less than`);
    if (!seqLessOrEqual(a, b) || seqLessOrEqual(b, a)) t.fail(`${label}: less or equal`);
    if (seqMax(a, b) !== b || seqMax(b, a) !== b) t.fail(`${label}: max`);
    if (seqMin(a, b) !== a || seqMin(b, a) !== a) t.fail(`${label}: min`);
    if (seqAdd(b, -n) !== a) t.fail(`${label} and back`);
  }
  t.pass('in every round');
});

t.test('a number equals itself', async (t) => {
  t.equal(seqLessThan(7, 7), false);
  t.equal(seqLessOrEqual(7, 7), true);
  t.equal(seqSub(7, 7), 0);
});

t.test('adding a stream offset beyond 2**32 goes around the circle', async (t) => {
  t.equal(seqAdd(5, 2 ** 40 + 3), 8);
  t.equal(seqAdd(0xffffffff, 1), 0);
});

t.test('a window holds its left edge and not its right one', async (t) => {
  const left = 0xfffffffe;
  t.equal(seqInWindow(left, left, 4), true);
  t.equal(seqInWindow(1, left, 4), true);
  t.equal(seqInWindow(2, left, 4), false);
  t.equal(seqInWindow(0xfffffffd, left, 4), false);
  t.equal(seqInWindow(left, left, 0), false, 'a window of nothing holds nothing');
});
