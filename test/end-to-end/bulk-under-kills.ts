import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { seeded } from '../seeded.ts';
import { Bulk, Gate, MIB } from './bulk.ts';
import { Daemon } from './daemon.ts';
import { killRepeatedly } from './kill-repeatedly.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

/**
 * A transfer of `size` bytes each way at once while the engine is killed `kills` times, spread over all of it: the peer
 * stands still once it has had its share, until the next kill is due.
 * @param options of `holdfast mount`
 */
export async function bulkUnderKills(
  t: Test,
  kills: number,
  size: number,
  ...options: string[]
): Promise<void> {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const random = seeded(SEED);
  const daemon = await Daemon.start(t, ...options);
  countRsts();
  const before = await daemon.epoch();
  const bulk = new Bulk(daemon, 'bulk', size, SEED);
  const gate = new Gate();
  const share = Math.floor((2 * size) / (kills + 1));

  const killing = killRepeatedly(daemon, kills, random, async (killed) => {
    gate.open((killed + 1) * share);
    await bulk.untilProgress(killed * share + random(share));
    // So that a kill also falls between two packets, or when the pipe has just run dry.
    await delay(random(4));
  }).finally(() => gate.open(Number.POSITIVE_INFINITY));
  const [{ outbound, inbound, writer, reader }, kinds] = await Promise.all([
    bulk.run(9000, gate),
    killing,
  ]);
  t.comment(kinds);
  t.hasStrict(writer, { status: 0, stderr: '' }, 'the program that writes saw no error');
  t.hasStrict(reader, { status: 0, stderr: '' }, 'the program that reads saw no error');
  t.equal(bulk.received, size, `the peer got ${size / MIB} MiB`);
  t.equal(outbound.got, outbound.wrote, 'what the peer got is what was written');
  t.equal(inbound.read, inbound.sent, 'what was read is what the peer sent');
  t.same(rsts(), { received: 0, sent: 0 }, 'the peer saw no RST, and sent none');
  t.equal((await daemon.epoch()) - before, kills, `epoch has grown by ${kills}`);
}
