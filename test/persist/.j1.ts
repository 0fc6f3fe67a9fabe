import { rmSync } from 'node:fs';
import { Journal } from '/work/main/persist/journal.ts';
import { Table } from '/work/main/persist/table.ts';

rmSync('/tmp/j1', { recursive: true, force: true });
const j = Journal.open('/tmp/j1');
console.log(j.turn, j.durable, j.commit());
for (const [size, n] of [
  [300, 20000],
  [65500, 5000],
  [2 ** 20, 500],
] as const) {
  const v = new Uint8Array(size).fill(7);
  for (let r = 0; r < 3; r++) {
    const t0 = process.hrtime.bigint();
    for (let i = 0; i < n; i++) {
      v[0] = i;
      j.put(Table.sendChunk, i % 10, 0, v);
      j.commit();
    }
    console.log(size, Number(process.hrtime.bigint() - t0) / n / 1000, 'us');
  }
}
{
  const chunks = Array.from({ length: 16 }, () => new Uint8Array(65500));
  const t0 = process.hrtime.bigint();
  const n = 500;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 16; k++) j.put(Table.sendChunk, 100, k, chunks[k]!);
    j.commit();
  }
  console.log('16x65500', Number(process.hrtime.bigint() - t0) / n / 1000, 'us');
}
await j.close();
const k = Journal.open('/tmp/j1');
console.log(
  k.turn,
  k.facts.epoch,
  [...k.scan(Table.sendChunk)].map((r) => [r.id, r.index, r.value.length, r.value[1]]).slice(0, 3),
);
await k.close();
