import t from 'tap';
import { TimerHeap } from '../../tcp/timer-heap.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const timers = (count: number) => Array.from({ length: count }, (_, id) => ({ id, heapIndex: -1 }));

t.test('an empty heap has nothing due', async (t) => {
  const heap = new TimerHeap<{ heapIndex: number }>();
  t.equal(heap.peekDeadline, Infinity);
  t.equal(heap.popDue(Number.MAX_VALUE), undefined);
});

t.test('a timer is due at its deadline, not before, and then no more', async (t) => {
  const heap = new TimerHeap<{ heapIndex: number }>();
  const [item] = timers(1);
  heap.set(item!, 5);
  t.equal(heap.popDue(4.999), undefined);
  t.equal(heap.popDue(5), item);
  t.equal(heap.popDue(5), undefined);
  t.equal(item!.heapIndex, -1);
});

t.test('a deadline of Infinity, and removing, disarm', async (t) => {
  const heap = new TimerHeap<{ heapIndex: number }>();
  const [first, second] = timers(2);
  heap.set(first!, 1);
  heap.set(second!, 2);
  heap.set(first!, Infinity);
  t.equal(heap.peekDeadline, 2);
  heap.remove(second!);
  heap.remove(second!);
  t.equal(heap.size, 0);
  t.equal(heap.deadlineOf(first!), Infinity);
});

t.test('thousands of random operations agree with a plain map', async (t) => {
  const heap = new TimerHeap<{ id: number; heapIndex: number }>();
  const items = timers(200);
  const model = new Map<number, number>();
  let now = 0;
  for (let round = 0; round < 50_000; round++) {
    const item = items[random.below(items.length)]!;
    const choice = random.below(10);
    if (choice < 5) {
      const deadline = now + random.below(1000);
      heap.set(item, deadline);
      model.set(item.id, deadline);
    } else if (choice < 7) {
      heap.remove(item);
      model.delete(item.id);
    } else {
      now += random.below(60);
      let last = -Infinity;
      for (let due = heap.popDue(now); due !== undefined; due = heap.popDue(now)) {
        const deadline = model.get(due.id);
        if (deadline === undefined || deadline > now || deadline < last) {
          t.fail(`round ${round}: ${due.id} came out at ${now} for ${deadline}`);
          return;
        }
        last = deadline;
        model.delete(due.id);
      }
    }
    const earliest = Math.min(Infinity, ...model.values());
    if (heap.peekDeadline !== earliest || heap.size !== model.size) {
      t.fail(
        `round ${round}: ${heap.peekDeadline} of ${heap.size}, not ${earliest} of ${model.size}`,
      );
      return;
    }
    if (heap.deadlineOf(item) !== (model.get(item.id) ?? Infinity)) {
      t.fail(`round ${round}: deadline of ${item.id}`);
      return;
    }
  }
  t.pass('in every round');
});
