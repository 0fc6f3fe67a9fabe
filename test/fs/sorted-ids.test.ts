import t from 'tap';
import { SortedIds } from '../../fs/sorted-ids.ts';
import { seeded } from '../seeded.ts';

t.test('like a sorted set', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const ids = new SortedIds();
  const model = new Set<number>();
  for (let step = 0; step < 2000; step++) {
    const id = 1 + random(200);
    if (model.has(id)) {
      ids.delete(id);
      model.delete(id);
    } else if (random(2) === 0) {
      ids.add(id);
      model.add(id);
    } else {
      ids.delete(id);
    }
    const from = random(210) - 5;
    const expected = [...model].filter((member) => member > from).sort((a, b) => a - b);
    if (JSON.stringify([...ids.after(from)]) !== JSON.stringify(expected)) {
      t.same([...ids.after(from)], expected, `after ${from} in step ${step}`);
    }
  }
  t.same(
    [...ids.after(0)],
    [...model].sort((a, b) => a - b),
  );
});

t.test('while ids come and go, those that stay come exactly once', async (t) => {
  const ids = new SortedIds();
  for (const id of [10, 20, 30, 40]) ids.add(id);
  const seen: number[] = [];
  for (const id of ids.after(0)) {
    seen.push(id);
    if (id === 20) {
      ids.delete(10);
      ids.delete(20);
      ids.add(15);
      ids.add(35);
    }
  }
  t.same(seen, [10, 20, 30, 35, 40]);
});
