import t from 'tap';
import { InvariantError } from '../../tcp/assert.ts';
import { ByteStream } from '../../tcp/byte-stream.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const text = (stream: ByteStream, from = stream.start, to = stream.end) => {
  const target = Buffer.alloc(to - from);
  stream.copy(from, to - from, target);
  return target.toString('latin1');
};
const bytes = (string: string) => Buffer.from(string, 'latin1');

t.test('what is appended is held until it is discarded', async (t) => {
  const stream = new ByteStream(8);
  t.equal(stream.append(bytes('hello')), 5);
  t.equal(stream.free, 3);
  t.equal(stream.append(bytes('world')), 3, 'only as much as there is room for');
  t.equal(text(stream), 'hellowor');
  stream.discard(6);
  t.equal(stream.start, 6);
  t.equal(stream.length, 2);
  t.equal(stream.append(bytes('xxldyy'), 2, 4), 2, 'a part of the source');
  t.equal(text(stream), 'orld');
});

t.test('bytes out of order wait for those before them', async (t) => {
  const stream = new ByteStream(100, 1000);
  stream.write(1005, bytes('world'));
  t.equal(stream.end, 1000);
  t.equal(stream.length, 0);
  stream.append(bytes('hello'));
  t.equal(stream.end, 1005);
  stream.extend(1010);
  t.equal(text(stream), 'helloworld');
});

t.test('bytes out of order stay when those before them have been discarded', async (t) => {
  const stream = new ByteStream(100);
  stream.write(3, bytes('def'));
  stream.append(bytes('ab'));
  stream.discard(2);
  t.equal(stream.length, 0);
  stream.append(bytes('c'));
  stream.extend(6);
  t.equal(text(stream), 'cdef');
});

t.test('memory is taken as needed and given back when there is nothing to hold', async (t) => {
  const stream = new ByteStream(1 << 20);
  t.equal(stream.capacity, 0);
  stream.append(new Uint8Array(100));
  const small = stream.capacity;
  t.ok(small >= 100 && small < 8192);
  stream.append(new Uint8Array(500_000));
  t.equal(stream.capacity, 524288, 'the next power of two');
  stream.discard(stream.end);
  t.equal(stream.capacity, 0);
  stream.write(stream.end + 5, new Uint8Array(1));
  stream.forgetBeyondEnd();
  t.equal(stream.capacity, 0);
});

t.test('a limit that is no power of two is kept to the byte', async (t) => {
  const stream = new ByteStream(1500);
  t.equal(stream.append(new Uint8Array(4000)), 1500);
  t.equal(stream.free, 0);
  stream.limit = 1600;
  t.equal(stream.append(new Uint8Array(4000)), 100);
  stream.limit = 10;
  t.equal(stream.free, 0);
  t.equal(stream.length, 1600, 'what is held stays');
});

t.test('reset begins again elsewhere', async (t) => {
  const stream = new ByteStream(10);
  stream.append(bytes('old'));
  stream.reset(77);
  t.same([stream.start, stream.end, stream.capacity], [77, 77, 0]);
  stream.append(bytes('new'));
  t.equal(text(stream), 'new');
});

t.test('a broken contract is a defect of the caller', async (t) => {
  const stream = new ByteStream(10, 100);
  stream.append(bytes('abc'));
  stream.write(105, bytes('f'));
  t.throws(() => stream.write(102, bytes('x')), InvariantError, 'over bytes in order');
  t.throws(() => stream.write(108, bytes('xyz')), InvariantError, 'past the limit');
  t.throws(() => stream.extend(102), InvariantError, 'backwards');
  t.throws(() => stream.extend(107), InvariantError, 'over bytes never written');
  t.throws(() => stream.copy(99, 1, new Uint8Array(9)), InvariantError, 'before the start');
  t.throws(() => stream.copy(100, 4, new Uint8Array(9)), InvariantError, 'beyond the end');
  t.throws(() => stream.discard(99), InvariantError, 'backwards');
  t.throws(() => stream.discard(104), InvariantError, 'beyond the end');
  t.throws(() => new ByteStream(2 ** 31), InvariantError, 'a ring that large');
  t.equal(text(stream), 'abc', 'and nothing has changed');
});

t.test('thousands of random operations agree with a map of bytes', async (t) => {
  for (const start of [0, 2 ** 31 - 700, 2 ** 32 - 700, 2 ** 45 + 12345]) {
    for (let run = 0; run < 10; run++) {
      const problem = compareWithMap(start);
      t.equal(problem, undefined, `from ${start}, run ${run}`);
    }
  }
});

t.test('streams that drop and take memory in turn never share it', async (t) => {
  const streams = Array.from({ length: 20 }, () => new ByteStream(10_000));
  for (let round = 0; round < 20_000; round++) {
    const id = random.below(streams.length);
    const stream = streams[id]!;
    if (random.chance(0.6)) stream.append(new Uint8Array(random.below(3000)).fill(id));
    else
      stream.discard(
        random.chance(0.5) ? stream.end : stream.start + random.below(stream.length + 1),
      );
    const held = new Uint8Array(stream.length);
    stream.copy(stream.start, stream.length, held);
    if (held.some((byte) => byte !== id)) {
      t.fail(`round ${round}: stream ${id} holds bytes of another`);
      return;
    }
  }
  t.pass('in every round');
});

/** @returns what differed */
function compareWithMap(base: number): string | undefined {
  let limit = random.between(1, 5000);
  const stream = new ByteStream(limit, base);
  const model = new Map<number, number>();
  let start = base;
  let end = base;
  for (let round = 0; round < 1000; round++) {
    const operation = random.below(100);
    if (operation < 30) {
      const source = random.bytes(random.below(800));
      const from = random.below(source.length + 1);
      const to = random.between(from, source.length);
      const taken = Math.min(to - from, Math.max(0, limit - (end - start)));
      if (stream.append(source, from, to) !== taken) return `round ${round}: append`;
      for (let n = 0; n < taken; n++) model.set(end + n, source[from + n]!);
      end += taken;
    } else if (operation < 55) {
      const room = start + limit - end;
      if (room <= 0) continue;
      const offset = end + random.below(room);
      const source = random.bytes(random.between(0, Math.min(600, start + limit - offset)));
      stream.write(offset, source);
      source.forEach((byte, n) => {
        model.set(offset + n, byte);
      });
    } else if (operation < 65) {
      let to = end;
      while (model.has(to)) to++;
      to = random.between(end, to);
      stream.extend(to);
      end = to;
    } else if (operation < 85) {
      const to = random.chance(0.2) ? end : start + random.below(end - start + 1);
      stream.discard(to);
      for (; start < to; start++) model.delete(start);
    } else if (operation < 88) {
      limit = random.between(limit, limit + 3000);
      stream.limit = limit;
    } else if (operation < 90) {
      stream.forgetBeyondEnd();
      for (const offset of model.keys()) if (offset >= end) model.delete(offset);
    } else if (operation < 91) {
      start = end = start + random.below(10_000);
      stream.reset(start);
      model.clear();
    }
    if (stream.start !== start || stream.end !== end) return `round ${round}: edges`;
    if (stream.capacity >= 2 * Math.max(1024, limit)) return `round ${round}: capacity`;
    const from = start + random.below(end - start + 1);
    const length = random.below(end - from + 1);
    const target = new Uint8Array(length + 9).fill(0xee);
    stream.copy(from, length, target, 4);
    for (let n = 0; n < target.length; n++) {
      const inside = n >= 4 && n < 4 + length;
      const expected = inside ? model.get(from + n - 4) : 0xee;
      if (target[n] !== expected) return `round ${round}: byte ${from + n - 4}`;
    }
  }
  return undefined;
}
