import '../namespace.ts';
import t from 'tap';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

const SIZE = 64 * MIB;

t.test(
  'the keeper alone is killed: nothing is lost, and the next engine death is survived too',
  async (t) => {
    t.comment(`HOLDFAST_SEED=${SEED}`);
    const daemon = await Daemon.start(t);
    countRsts();
    const bulk = new Bulk(daemon, 'bulk', SIZE, SEED);
    const gate = new Gate();
    const transfer = bulk.run(9000, gate);

    gate.open(SIZE / 2);
    await bulk.untilProgress(SIZE / 4);
    const before = await daemon.status();
    const keeper = Number(before.get('keeper_pid'));
    process.kill(keeper, 'SIGKILL');
    await until(async () => (await daemon.keeperPid()) !== keeper);
    t.equal(await daemon.enginePid(), Number(before.get('engine_pid')), 'the engine went on');

    gate.open(SIZE);
    await bulk.untilProgress((3 * SIZE) / 4);
    await daemon.killEngine();
    t.equal(await daemon.epoch(), Number(before.get('epoch')) + 1);

    gate.open(Number.POSITIVE_INFINITY);
    cameThrough(t, await transfer);
    t.same(rsts(), { received: 0, sent: 0 });
  },
);
