import t from 'tap';
import { entropy } from '../../mount/entropy.ts';

t.test('each call gives another u32', async (t) => {
  // More than are drawn at a time: a run of two hundred that comes again would be no accident.
  const runs = Array.from({ length: 20 }, () => Array.from({ length: 200 }, entropy));
  t.equal(new Set(runs.map(String)).size, runs.length);
  const isU32 = (number: number) => Number.isInteger(number) && number >= 0 && number < 2 ** 32;
  t.ok(runs.flat().every(isU32));
});
