import '../namespace.ts';
import { readdirSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { fuseNative } from '../../mount/fuse-native/driver.ts';
import { until } from './condition.ts';
import { Daemon, HOLDFAST, HOST } from './daemon.ts';
import { established } from './established.ts';
import { accept, listen, readToEnd } from './peer.ts';
import { hasEnded, untilInside } from './processes.ts';
import { ProgramCopy } from './program-copy.ts';

const DRIVER = '--driver fuse-native';
const QUIET = { status: 0, stdout: '', stderr: '' };

t.test('what it cannot do is said once, at mount', async (t) => {
  const daemon = Daemon.prepare(t);
  const { status, stdout, stderr } = await daemon.holdfast(`mount net --daemon ${DRIVER}`);
  t.equal(status, 0);
  t.match(stdout, /^holdfast: ready.*\n$/);
  const said = fuseNative.limits.map((limit) => `holdfast: ${DRIVER}: ${limit}\n`);
  t.equal(stderr, said.join(''));
  const keeper = await daemon.keeperPid();
  t.same(await daemon.unmount(), QUIET);
  await until(() => hasEnded(keeper));
});

t.test('without the package one line says so, and nothing is left', async (t) => {
  const program = new ProgramCopy(t);
  program.change('mount/fuse-native/package.ts', (text) =>
    text.replace("('fuse-native')", "('fuse-native-that-is-not-there')"),
  );
  program.build();
  const daemon = Daemon.prepare(t, program.path);
  const { status, stdout, stderr } = await daemon.holdfast(`mount net ${DRIVER}`);
  t.same({ status, stdout }, { status: 1, stdout: '' });
  t.match(stderr, /^holdfast: --driver fuse-native needs the npm package.*\n$/);
  t.match(await daemon.run('mountpoint -q net'), { status: 32 });
  t.match(await daemon.run('ip link show holdfast0'), { status: 1 });
});

t.test('deaths, and what goes on after them', async (t) => {
  const daemon = await Daemon.start(t, ...DRIVER.split(' '), '--durability', 'power');
  const socket = await established(t, daemon, 'chat', 9000);

  await t.test('the engine dies, and the next one mounts again', async (t) => {
    const reader = daemon.shell('exec cat net/tcp/chat/data');
    await untilInside(reader.pid, 'read');
    const before = await daemon.status();
    process.kill(Number(before.get('engine_pid')), 'SIGKILL');
    const { status, stderr } = await reader.ended;
    t.not(status, 0);
    t.match(stderr, /Software caused connection abort|Transport endpoint is not connected/);
    const after = await until(() => daemon.status().catch(() => undefined));
    t.not(after.get('engine_pid'), before.get('engine_pid'));
    t.equal(after.get('keeper_pid'), before.get('keeper_pid'));
    const mounts = await daemon.run(`grep -c ' ${daemon.mountpoint} ' /proc/self/mountinfo`);
    t.equal(mounts.stdout, '1\n', 'one mount, not two on top of each other');
    socket.write('hello\n');
    const line = await daemon.run('read -r line < net/tcp/chat/data && echo "$line"');
    t.same(line, { ...QUIET, stdout: 'hello\n' });
  });

  await t.test('an upgrade mounts again, too', async (t) => {
    const engine = await daemon.enginePid();
    // On a busy host the new engine may not get ready in time, and the old one goes on.
    await until(async () => (await daemon.holdfast('upgrade net')).status === 0);
    t.not(await daemon.enginePid(), engine);
    t.same(await daemon.run('echo hello yourself > net/tcp/chat/data'), QUIET);
  });

  await t.test('the keeper dies, and the engine goes on with another', async (t) => {
    const before = await daemon.status();
    process.kill(Number(before.get('keeper_pid')), 'SIGKILL');
    await until(async () => (await daemon.keeperPid()) !== Number(before.get('keeper_pid')));
    t.equal(await daemon.enginePid(), Number(before.get('engine_pid')));
  });

  await t.test('holdfast wait, where poll(2) does not help', async (t) => {
    const waiting = daemon.shell(
      `exec '${process.execPath}' '${HOLDFAST}' wait net/tcp/chat CLOSE-WAIT`,
    );
    await until(() => openFiles(waiting.pid).some((path) => path.endsWith('/net/tcp/chat/state')));
    socket.end();
    t.same(await waiting.ended, QUIET);
  });

  await t.test('holdfast nc reads and writes at the same time', async (t) => {
    const server = await listen(HOST, 9001);
    t.teardown(() => server.close());
    const nc = daemon.shell(`exec '${process.execPath}' '${HOLDFAST}' nc ${HOST} 9001`, 'pipe');
    const peer = await accept(server);
    peer.write('first\n');
    await nc.printed(/^first$/m);
    nc.process.stdin!.end('second\n');
    t.equal(`${await readToEnd(peer)}`, 'second\n');
    peer.end('third\n');
    t.same(await nc.ended, { ...QUIET, stdout: 'first\nthird\n' });
  });

  t.same(await daemon.run('rmdir net/tcp/chat'), QUIET);
  t.equal(`${await readToEnd(socket)}`, 'hello yourself\n');
});

/** What a process has open. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
}
