import t from 'tap';
import { RestartPolicy } from '../../mount/restart-policy.ts';

t.test('an engine that had settled is followed at once, however often', async (t) => {
  const policy = new RestartPolicy();
  const delays = Array.from({ length: 1000 }, () => policy.next(60_000));
  t.same(new Set(delays), new Set([0]));
});

t.test('short lives are followed at once for a while, then ever later, then no more', async (t) => {
  const policy = new RestartPolicy();
  const delays: number[] = [];
  for (let delay = policy.next(10); delay !== undefined; delay = policy.next(10))
    delays.push(delay);
  t.same(delays.slice(0, 20), new Array(20).fill(0));
  t.same(
    delays,
    delays.toSorted((a, b) => a - b),
  );
  t.ok(delays[20]! > 0);
  t.ok(delays.length > 100 && delays.length < 1000);
});

t.test('an engine that cannot restore is given up sooner', async (t) => {
  const policy = new RestartPolicy();
  let lives = 0;
  while (policy.next(undefined) !== undefined) lives += 1;
  t.ok(lives > 1 && lives < 20);
});

t.test('one settled life makes up for all the short ones', async (t) => {
  const policy = new RestartPolicy();
  for (let i = 0; i < 40; i += 1) policy.next(1);
  t.equal(policy.next(2000), 0);
  t.equal(policy.next(1), 0);
});
