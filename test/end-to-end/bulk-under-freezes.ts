import type { Test } from 'tap';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { Daemon } from './daemon.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

/** A transfer both ways at once, in the middle of which the daemon is frozen and thawed so many times. */
export async function bulkUnderFreezes(t: Test, freezes: number): Promise<void> {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const size = freezes * 16 * MIB;
  const daemon = await Daemon.start(t);
  countRsts();
  const bulk = new Bulk(daemon, 'bulk', size, SEED);
  const gate = new Gate();
  const transfer = bulk.run(9000, gate);
  const done = { status: 0, stdout: '', stderr: '' };
  for (let i = 1; i <= freezes; i++) {
    gate.open((i * size) / freezes);
    await bulk.untilProgress(((i - 0.5) * size) / freezes);
    const engine = await daemon.enginePid();
    t.same(await daemon.holdfast('freeze net'), done);
    t.match(await daemon.holdfast('status net'), { status: 0, stdout: 'state frozen\n' });
    t.same(await daemon.holdfast('thaw net'), done);
    t.not(await daemon.enginePid(), engine, 'another engine');
  }
  gate.open(Number.POSITIVE_INFINITY);
  cameThrough(t, await transfer);
  t.same(rsts(), { received: 0, sent: 0 });
}
