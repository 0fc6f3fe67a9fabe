import '../namespace.ts';
import t from 'tap';
import { bulkUnderFreezes } from './bulk-under-freezes.ts';
import { until } from './condition.ts';
import { Daemon, isMounted } from './daemon.ts';
import { established } from './established.ts';
import { standInOf } from './no-engine.ts';
import { readToEnd } from './peer.ts';

t.test('freezes in the middle of a transfer: neither programs nor peer notice', (t) =>
  bulkUnderFreezes(t, 3),
);

t.test('a frozen mount says so, and nothing waits for ever', async (t) => {
  const daemon = await Daemon.start(t);
  const standIn = await standInOf(daemon);
  const socket = await established(t, daemon, 'chat', 9000);
  const fails = async (words: string, reason: RegExp) => {
    const { status, stdout, stderr } = await daemon.holdfast(words);
    t.same({ status, stdout }, { status: 1, stdout: '' }, words);
    t.match(stderr, reason, words);
  };
  await fails('thaw net', /^holdfast: \S+\/net is not frozen\n$/);
  await fails('freeze elsewhere', /is not a Holdfast mount\n$/);
  t.match(await daemon.holdfast('freeze net'), { status: 0, stderr: '' });
  await fails('freeze net', /^holdfast: \S+\/net is frozen already\n$/);
  await fails('upgrade net', /is frozen; holdfast thaw has it go on\n$/);
  await fails('status net/tcp/chat', /is frozen; holdfast thaw has it go on\n$/);
  await until(() => standIn());

  const reader = daemon.run('head -c 5 net/tcp/chat/data');
  socket.write('hello');
  t.match(await daemon.holdfast('thaw net'), { status: 0, stderr: '' });
  t.match(await reader, { status: 0, stdout: 'hello', stderr: '' });
  t.equal(standIn(), undefined, 'nobody else speaks');

  t.match(await daemon.holdfast('freeze net'), { status: 0, stderr: '' });
  const blocked = daemon.run('cat net/tcp/chat/data');
  t.match(await daemon.holdfast('umount net'), { status: 0, stderr: '' });
  t.notOk(await isMounted(daemon.mountpoint));
  t.not((await blocked).status, 0);
  await daemon.mount();
  const heard = readToEnd(socket);
  t.match(await daemon.run('echo bye > net/tcp/chat/data; echo close > net/tcp/chat/ctl'), {
    status: 0,
  });
  t.equal((await heard).toString(), 'bye\n');
});

t.test('with --freeze, SIGTERM closes the windows first', async (t) => {
  const daemon = await Daemon.start(t, '--freeze');
  const socket = await established(t, daemon, 'chat', 9000);
  socket.write('hello');
  t.match(await daemon.unmount(), { status: 0, stderr: '' });
  await daemon.mount();
  t.match(await daemon.run('head -c 5 net/tcp/chat/data'), { status: 0, stdout: 'hello' });
});
