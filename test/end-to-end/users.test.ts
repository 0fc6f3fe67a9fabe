// Whose a connection is, what others may do with it, and how many each may have.
import '../namespace.ts';
import { chmodSync } from 'node:fs';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';
import { established } from './established.ts';
import { listen } from './peer.ts';

/** Runs what follows as a user who is nobody's friend. */
const ALICE = 'setpriv --reuid 1000 --regid 1000 --clear-groups bash -c';

t.test('users', async (t) => {
  const daemon = Daemon.prepare(t);
  chmodSync(daemon.directory, 0o755);
  await daemon.mount('--user-connections', '3', '--user-buffer-bytes', '8M');
  const fails = async (script: string, message: string) => {
    const { status, stderr } = await daemon.run(`${ALICE} '${script}'`);
    t.not(status, 0, script);
    t.match(stderr, message, script);
  };
  const succeeds = async (script: string, stdout = '') =>
    t.same(await daemon.run(`${ALICE} '${script}'`), { status: 0, stdout, stderr: '' }, script);

  const peer = await established(t, daemon, 'chat', 9000);
  peer.write('hello');
  await fails('head -c 5 net/tcp/chat/data', 'Permission denied');
  await fails('echo > net/tcp/chat/data', 'Permission denied');
  await fails('echo hangup > net/tcp/chat/ctl', 'Permission denied');
  await fails('ls net/tcp/chat', 'Permission denied');
  await fails('chmod 777 net/tcp/chat', 'Operation not permitted');
  await fails('chown 1000 net/tcp/chat', 'Operation not permitted');
  await fails('rmdir net/tcp/chat', 'Operation not permitted');

  await daemon.run('chmod 604 net/tcp/chat/data');
  await succeeds('head -c 2 net/tcp/chat/data', 'he');
  await fails('echo > net/tcp/chat/data', 'Permission denied');
  await daemon.run('chown 1000:1000 net/tcp/chat; chmod 600 net/tcp/chat/data');
  await succeeds('head -c 2 net/tcp/chat/data', 'll');
  await daemon.killEngine();
  await daemon.unmount();
  await daemon.mount('--user-connections', '3', '--user-buffer-bytes', '8M');
  await succeeds(
    'stat -c "%u %g %a" net/tcp/chat net/tcp/chat/data',
    '1000 1000 700\n1000 1000 600\n',
  );
  await succeeds('head -c 1 net/tcp/chat/data', 'o');
  await daemon.unmount();
  await daemon.mount('--allow-other', 'off');
  await fails('ls net', 'Permission denied');
  await fails('head -c 1 net/tcp/chat/data', 'Permission denied');
  t.match(await daemon.run('cat net/tcp/chat/state'), { stdout: 'ESTABLISHED\n' });
  await daemon.unmount();
  await daemon.mount('--user-connections', '3', '--user-buffer-bytes', '8M');

  await succeeds('mkdir net/tcp/mine net/udp/mine; stat -c %u net/udp/mine', '1000\n');
  await fails('mkdir net/tcp/more', 'Too many open files in system');
  await fails('cat net/tcp/clone', 'Too many open files in system');
  const server = await listen(HOST, 9001);
  t.teardown(() => server.close());
  server.on('connection', (socket) => socket.end('hello').resume());
  await fails(`cat net/dial/${HOST}:9001`, 'Too many open files in system');
  await succeeds(`rmdir net/tcp/mine; cat net/dial/${HOST}:9001`, 'hello');
  t.match(await daemon.run('mkdir net/tcp/roots'), { status: 0 }, 'others have room of their own');
  await succeeds('mkdir net/tcp/srv');
  await fails('echo :80 > net/tcp/srv/listen', 'Permission denied');
  await fails('chmod 666 net/dial/10.7.0.1:80', 'Operation not permitted');
});
