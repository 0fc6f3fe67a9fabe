import '../namespace.ts';
import t from 'tap';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { Daemon } from './daemon.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

t.test('256 MiB each way at once arrive unchanged', async (t) => {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const daemon = await Daemon.start(t);
  countRsts();
  const gate = new Gate();
  gate.open(Number.POSITIVE_INFINITY);
  const bulk = new Bulk(daemon, 'bulk', 256 * MIB, SEED);
  cameThrough(t, await bulk.run(9000, gate));
  t.equal(bulk.received, 256 * MIB);
  t.same(rsts(), { received: 0, sent: 0 });
});
