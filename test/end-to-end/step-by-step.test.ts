import '../namespace.ts';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST } from './daemon.ts';

t.test('a connection by hand', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = daemon.shell(`exec nc -l ${HOST} 9000 < <(echo welcome; exec sleep infinity)`);
  await until(async () => (await daemon.run('ss -Hltn sport = :9000')).stdout !== '');

  const quiet = { status: 0, stdout: '', stderr: '' };
  t.same(await daemon.run('mkdir net/tcp/chat'), quiet);
  t.same(await daemon.run(`echo ${HOST}:9000 > net/tcp/chat/connect`), quiet);
  t.same(await daemon.run('cat net/tcp/chat/state'), { ...quiet, stdout: 'ESTABLISHED\n' });
  t.same(await daemon.run('echo hello > net/tcp/chat/data'), quiet);
  await peer.printed(/^hello$/m);

  const cat = daemon.shell('exec cat net/tcp/chat/data');
  await cat.printed(/^welcome$/m);
  peer.process.kill('SIGTERM');
  t.same(await cat.ended, { ...quiet, stdout: 'welcome\n' }, 'the host side closes, and cat ends');
  t.same(await daemon.run('rmdir net/tcp/chat'), quiet);
  t.same(await daemon.run('ls -d net/tcp/chat 2>/dev/null'), { ...quiet, status: 2 });
});

t.test('a connection through clone, with one descriptor kept open', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = daemon.shell(`exec nc -l ${HOST} 9000 < <(echo welcome; exec sleep infinity)`);
  await until(async () => (await daemon.run('ss -Hltn sport = :9000')).stdout !== '');

  const program = daemon.shell(`
    set -e
    exec 3<>net/tcp/clone
    read -r n <&3
    echo "number $n"
    echo connect ${HOST}:9000 >&3
    cat net/tcp/$n/state
    echo hello > net/tcp/$n/data
    cat net/tcp/$n/data
    echo "end of file"
    echo close >&3
  `);
  await peer.printed(/^hello$/m);
  await program.printed(/^welcome$/m);
  peer.process.kill('SIGTERM');
  const { status, stdout, stderr } = await program.ended;
  t.equal(stderr, '');
  t.match(stdout, /^number \d+\nESTABLISHED\nwelcome\nend of file\n$/);
  t.equal(status, 0);
});
