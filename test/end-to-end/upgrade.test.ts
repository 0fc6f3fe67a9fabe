import '../namespace.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LAYOUT_VERSION } from '../../persist/layout.ts';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { ProgramCopy } from './program-copy.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

const SIZE = 64 * MIB;
const UPGRADES = 5;

t.test('upgrades in the middle of a transfer: neither programs nor peer notice', async (t) => {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const daemon = await Daemon.start(t);
  countRsts();
  const bulk = new Bulk(daemon, 'bulk', SIZE, SEED);
  const gate = new Gate();
  const transfer = bulk.run(9000, gate);
  const epoch = await daemon.epoch();
  for (let i = 1; i <= UPGRADES; i++) {
    gate.open((i * SIZE) / UPGRADES);
    await bulk.untilProgress(((i - 0.5) * SIZE) / UPGRADES);
    const engine = await daemon.enginePid();
    t.hasStrict(await daemon.holdfast('upgrade net'), {
      status: 0,
      stdout: 'holdfast: upgraded to version 0.1.0\n',
      stderr: '',
    });
    t.not(await daemon.enginePid(), engine, 'another engine');
  }
  gate.open(Number.POSITIVE_INFINITY);
  cameThrough(t, await transfer);
  t.same(rsts(), { received: 0, sent: 0 });
  t.equal(await daemon.epoch(), epoch + UPGRADES);
});

t.test('SIGHUP to the keeper is an upgrade', async (t) => {
  const daemon = await Daemon.start(t);
  process.kill(await daemon.keeperPid(), 'SIGHUP');
  await daemon.untilEpoch(2);
  t.hasStrict(await daemon.run('mkdir net/tcp/chat && ls net/tcp'), { status: 0, stderr: '' });
});

t.test('an engine that does not get ready leaves the old one at work', async (t) => {
  const program = new ProgramCopy(t);
  const daemon = await Daemon.startProgram(t, program.path);
  await established(t, daemon, 'chat', 9000);
  const before = await daemon.status();
  const fails = async (reason: RegExp, count: number) => {
    const { status, stderr, stdout } = await daemon.holdfast('upgrade net');
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, /^holdfast: not upgraded, the old engine goes on: /m);
    t.match(stderr, reason);
    const now = await daemon.status();
    t.equal(now.get('engine_pid'), before.get('engine_pid'), 'the same engine');
    t.equal(now.get('epoch'), before.get('epoch'));
    t.equal(now.get('failed_upgrades'), String(count));
    t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0, stderr: '' });
  };

  program.change('mount/engine-main.ts', (text) => `throw new Error('broken');\n${text}`);
  program.build();
  await fails(/died before it was loaded/, 1);
  program.restore('mount/engine-main.ts');
  program.change('persist/layout.ts', (text) =>
    text.replace(/LAYOUT_VERSION = \d+/, 'LAYOUT_VERSION = 1000000'),
  );
  program.build();
  await fails(/layout version/, 2);
  program.restore('persist/layout.ts');
  program.build();
  t.hasStrict(await daemon.holdfast('upgrade net'), { status: 0, stderr: '' });
  t.not(await daemon.enginePid(), Number(before.get('engine_pid')), 'at last');
  t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0, stderr: '' });
});

t.test(
  'an upgrade to another layout of the store: there is a way back until the new engine serves',
  async (t) => {
    const program = new ProgramCopy(t);
    const daemon = await Daemon.startProgram(t, program.path);
    const socket = await established(t, daemon, 'chat', 9000);
    socket.write('before');
    t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { stdout: 'b' });
    const layout = () => readFileSync(join(daemon.store, 'turn')).readUInt32BE(8);
    t.equal(layout(), LAYOUT_VERSION);

    const next = `LAYOUT_VERSION = ${LAYOUT_VERSION + 1}`;
    program.change('persist/layout.ts', (text) => text.replace(/LAYOUT_VERSION = \d+/, next));
    program.change('tcp/pcb.ts', (text) =>
      text.replace('ID: durable.f64,', 'ID: durable.f64, OF_THE_NEXT: durable.f64,'),
    );
    program.change('persist/upgrade.ts', (text) =>
      text.replace('new Map([', `new Map([[${LAYOUT_VERSION}, () => {}],`),
    );
    program.change('mount/engine.ts', (text) =>
      text.replace("crashPoint('restored');", "this.#refuse('not yet'); return false;"),
    );
    program.build();
    const { status, stderr } = await daemon.holdfast('upgrade net');
    t.equal(status, 1);
    t.match(stderr, /^holdfast: not upgraded, the old engine goes on: not yet\n$/);
    t.equal(layout(), LAYOUT_VERSION);
    t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { status: 0, stdout: 'e' });

    program.restore('mount/engine.ts');
    program.build();
    t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { status: 0, stdout: 'f' });
    t.hasStrict(await daemon.holdfast('upgrade net'), { status: 0, stderr: '' });
    t.equal(layout(), LAYOUT_VERSION + 1);
    t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { status: 0, stdout: 'o' });
    t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });

    for (const file of ['persist/layout.ts', 'tcp/pcb.ts', 'persist/upgrade.ts'])
      program.restore(file);
    program.build();
    const older = await daemon.holdfast('mount net');
    t.equal(older.status, 1);
    t.match(older.stderr, /^holdfast: .*was written by a newer Holdfast.*\n$/);
  },
);

t.test('what cannot be upgraded says so', async (t) => {
  const daemon = await Daemon.start(t);
  t.hasStrict(await daemon.holdfast('upgrade elsewhere'), {
    status: 1,
    stderr: `holdfast: ${daemon.directory}/elsewhere is not a Holdfast mount\n`,
  });
  t.hasStrict(await daemon.holdfast('upgrade'), { status: 64 });
});
