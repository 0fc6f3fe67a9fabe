import '../namespace.ts';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { LAYOUT_VERSION } from '../../persist/layout.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { segments, standInOf } from './no-engine.ts';
import { CARRY_OVER_DIRECTORY, makeNext, NEXT_LAYOUT, NEXT_TTL } from './other-layout.ts';
import { children, hasLockedMemory } from './processes.ts';
import { ProgramCopy } from './program-copy.ts';
import { countRsts, rsts } from './rst-counter.ts';

const program = new ProgramCopy(t);
program.keep('old');
makeNext(program);
program.keep('next');

/** The layout of a daemon's store. */
function layoutOf(daemon: Daemon): number {
  return readFileSync(join(daemon.store, 'turn')).readUInt32BE(8);
}

/** Puts the program of the next layout in the place of that of `daemon`, when the spare of the old one is loaded. */
async function install(daemon: Daemon): Promise<void> {
  const [keeper, engine] = await daemon.pids();
  const spare = await until(() => children(keeper!).find((pid) => pid !== engine));
  await until(() => hasLockedMemory(spare));
  program.use('next');
}

/** Where who dies leaves what. */
const DEATHS: readonly (readonly [CrashPoint, string, number])[] = [
  ['freezing', 'the old engine, before it is frozen', LAYOUT_VERSION],
  ['frozen', 'the old engine, when it has closed the store', LAYOUT_VERSION],
  ['restored', 'the new engine, when it has read the store', LAYOUT_VERSION],
  ['about-to-serve', 'the new engine, before its first commit', NEXT_LAYOUT],
  ['just-restarted', 'the new engine, after its first commit', NEXT_LAYOUT],
];

for (const [point, who, layout] of DEATHS) {
  t.test(`an upgrade to another layout; somebody dies: ${who}`, async (t) => {
    program.use('old');
    const daemon = await Daemon.startProgram(t, program.path);
    const socket = await established(t, daemon, 'chat', 9000);
    countRsts();
    socket.write('before');
    t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { stdout: 'b' });
    await install(daemon);
    daemon.arm(point);
    const reader = daemon.run('head -c 5 net/tcp/chat/data');
    const { status, stdout, stderr } = await daemon.holdfast('upgrade net');
    t.notOk(daemon.armed(point));
    t.same({ status, stdout }, { status: 1, stdout: '' });
    const said =
      layout === LAYOUT_VERSION
        ? /not upgraded, the old engine goes on: /
        : /engine died; the keeper has the next one try/;
    t.match(stderr, said);
    t.match(await reader, { status: 0, stdout: 'efore', stderr: '' });
    t.equal(
      await daemon.read('tcp/chat/sockopts/ttl'),
      layout === NEXT_LAYOUT ? `${NEXT_TTL}` : '64',
    );
    t.equal(layoutOf(daemon), layout);
    t.same(rsts(), { received: 0, sent: 0 });
  });
}

/** A daemon whose next engine waits in the middle of carrying the store over, until it is let go. */
async function amid(t: Test) {
  program.use('old');
  const daemon = Daemon.prepare(t, program.path);
  const held = join(daemon.directory, 'held');
  const letGo = () => rmSync(held, { force: true });
  t.teardown(letGo);
  daemon.environment = { [CARRY_OVER_DIRECTORY]: daemon.directory };
  writeFileSync(held, '');
  await daemon.mount();
  const socket = await established(t, daemon, 'chat', 9000);
  const [keeper, standIn] = [await daemon.keeperPid(), await standInOf(daemon)];
  await install(daemon);
  const upgrade = daemon.holdfast('upgrade net');
  await until(() => existsSync(join(daemon.directory, 'reading')));
  return { daemon, socket, keeper, standIn, upgrade, letGo };
}

t.test('while a store is carried over, peers are answered and programs wait', async (t) => {
  countRsts();
  const { daemon, socket, standIn, upgrade, letGo } = await amid(t);
  t.match(await daemon.holdfast('status net'), { status: 0, stdout: 'state frozen\n' });
  const reader = daemon.run('head -c 5 net/tcp/chat/data');
  const first = await until(() => standIn());
  const heard = segments(9000, 'segs_in');
  socket.write('hello');
  await until(() => segments(9000, 'segs_in') > heard);
  process.kill(first, 'SIGKILL');
  t.match(await daemon.holdfast('thaw net'), { status: 1, stderr: /is busy; try again\n$/ });
  t.match(await daemon.holdfast('upgrade net'), { status: 1, stderr: /is frozen/ });
  t.equal(layoutOf(daemon), LAYOUT_VERSION);
  letGo();
  const upgraded = { status: 0, stdout: 'holdfast: upgraded to version 0.1.0\n', stderr: '' };
  t.match(await upgrade, upgraded);
  t.match(await reader, { status: 0, stdout: 'hello', stderr: '' });
  t.equal(layoutOf(daemon), NEXT_LAYOUT);
  t.equal(await daemon.read('tcp/chat/sockopts/ttl'), `${NEXT_TTL}`);
  t.same(rsts(), { received: 0, sent: 0 });
});

t.test('the keeper dies while a store is carried over', async (t) => {
  const { daemon, socket, keeper, upgrade, letGo } = await amid(t);
  process.kill(keeper, 'SIGKILL');
  t.match(await upgrade, { status: 1, stderr: /does not answer/ });
  socket.write('hello');
  letGo();
  const heard = await daemon.run('head -c 5 net/tcp/chat/data');
  t.match(heard, { status: 0, stdout: 'hello', stderr: '' });
  t.not(await daemon.keeperPid(), keeper);
  t.equal(layoutOf(daemon), NEXT_LAYOUT);
});

t.test('a tree can be unmounted while its store is carried over', async (t) => {
  const { daemon, socket, upgrade, letGo } = await amid(t);
  t.match(await daemon.unmount(), { status: 0, stderr: '' });
  t.match(await upgrade, { status: 1 });
  letGo();
  t.equal(layoutOf(daemon), LAYOUT_VERSION);
  await daemon.mount();
  socket.write('hello');
  t.match(await daemon.run('head -c 5 net/tcp/chat/data'), { status: 0, stdout: 'hello' });
  t.equal(layoutOf(daemon), NEXT_LAYOUT);
});
