import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Memory } from '../../tcp/memory.ts';
import { Pcb, RECORD_LAYOUT, RECORD_LENGTH, RECORD_WIDTH } from '../../tcp/pcb.ts';
import { defineRecord, durable, hint, RecordPool, SlabRecord } from '../../tcp/record.ts';

function owner() {
  const touched: Pcb[] = [];
  return {
    sendBuffer: 1 << 20,
    receiveBuffer: 1 << 20,
    memory: new Memory(Infinity),
    touched: (pcb: Pcb) => {
      touched.push(pcb);
    },
    count: () => touched.length,
  };
}

const SIZE = { u8: 1, u16: 2, u32: 4, f64: 8 };

t.test('the journaled fields come first, aligned, and do not overlap', async (t) => {
  let end = 0;
  for (const { name, type, kind, offset } of RECORD_LAYOUT) {
    t.not(kind, 'hint', name);
    t.ok(offset >= end, name);
    t.equal(offset % SIZE[type], 0, name);
    end = offset + SIZE[type];
  }
  t.ok(end <= RECORD_LENGTH && RECORD_LENGTH <= RECORD_WIDTH);
  t.equal(RECORD_WIDTH % 8, 0);
});

t.test('every field keeps the largest value of its type and disturbs no other', async (t) => {
  const LARGEST = { u8: 0xff, u16: 0xffff, u32: 0xffffffff, f64: Number.MAX_SAFE_INTEGER };
  const pool = new RecordPool(RECORD_WIDTH);
  const [before, pcb, after] = [0, 1, 2].map(() => new Pcb(pool, owner()));
  const fields = pcb as unknown as Record<string, number>;
  for (const { name, type } of RECORD_LAYOUT) {
    t.equal(fields[name], 0);
    fields[name] = LARGEST[type];
  }
  for (const { name, type } of RECORD_LAYOUT) t.equal(fields[name], LARGEST[type]);
  for (const neighbour of [before!, after!]) t.ok(neighbour.record.every((byte) => byte === 0));
});

t.test('a durable field that changes makes the PCB dirty; others do not', async (t) => {
  const is = owner();
  const pcb = new Pcb(new RecordPool(RECORD_WIDTH), is);
  pcb.RCV_NXT = 5;
  t.equal(is.count(), 1);
  pcb.RCV_NXT = 5;
  t.equal(is.count(), 1, 'the same value is no change');
  pcb.SND_UNA = 5;
  pcb.SND_WND = 5;
  t.equal(is.count(), 1, 'carried');
  const { record } = pcb;
  const before = record.slice();
  pcb.cwnd = 5;
  pcb.SND_NXT = 5;
  t.equal(is.count(), 1, 'hints');
  t.same(record, before);
});

t.test('a record read back has the same fields', async (t) => {
  const pool = new RecordPool(RECORD_WIDTH);
  const [one, two] = [new Pcb(pool, owner()), new Pcb(pool, owner())];
  for (const [i, { name, type }] of RECORD_LAYOUT.entries()) {
    (one as unknown as Record<string, number>)[name] = type === 'f64' ? 2 ** 40 + i : i;
  }
  two.record.set(one.record);
  for (const { name } of RECORD_LAYOUT) {
    t.equal(two[name as 'ID'], one[name as 'ID'], name);
  }
});

t.test('a slot is used again, empty, and who holds the old PCB sees its last values', async (t) => {
  const pool = new RecordPool(RECORD_WIDTH);
  const old = new Pcb(pool, owner());
  old.ID = 7;
  old.RCV_NXT = 9;
  old.remove();
  const next = new Pcb(pool, owner());
  t.equal(next.ID, 0);
  next.ID = 8;
  t.equal(old.ID, 7);
  t.equal(old.RCV_NXT, 9);
  old.RCV_NXT = 10;
  t.equal(next.RCV_NXT, 0);
});

t.test('10,000 records, some given back in between', async (t) => {
  const { Base, width } = defineRecord({ small: hint.u8, large: durable.f64 }, SlabRecord);
  class Thing extends Base {
    protected override touched(): void {}
    remove(): void {
      this.release();
    }
  }
  t.equal(width, 16);
  const pool = new RecordPool(width);
  const things = Array.from({ length: 10_000 }, (_, i) => {
    const thing = new Thing(pool);
    thing.large = i;
    thing.small = i & 0xff;
    return thing;
  });
  for (let i = 0; i < things.length; i += 3) {
    things[i]!.remove();
    things[i] = new Thing(pool);
    things[i]!.large = i;
    things[i]!.small = i & 0xff;
  }
  t.ok(things.every((thing, i) => thing.large === i && thing.small === (i & 0xff)));
});

t.test('an idle connection takes much less than 2 KiB', async (t) => {
  t.ok(RECORD_WIDTH < 720, `${RECORD_WIDTH} bytes of record`);
  const is = owner();
  const pool = new RecordPool(RECORD_WIDTH);
  // V8 gives it to contexts that are made from now on.
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  gc();
  const before = process.memoryUsage();
  const pcbs = Array.from({ length: 20_000 }, () => new Pcb(pool, is));
  gc();
  const after = process.memoryUsage();
  const each =
    (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / pcbs.length;
  t.ok(each < 1024, `${each} bytes for each of ${pcbs.length}`);
});
