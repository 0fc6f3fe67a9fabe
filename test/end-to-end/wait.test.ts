import '../namespace.ts';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';
import { established } from './established.ts';

t.test('a program polls the state as an attribute of sysfs', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = await established(t, daemon, 'chat', 9000);
  const program = daemon.shell(`exec python3 -c '
import os, select
file = os.open("net/tcp/chat/state", os.O_RDONLY)
poller = select.epoll()
poller.register(file, select.EPOLLPRI)
while True:
    state = os.pread(file, 64, 0).decode().strip()
    print(state, flush=True)
    if state == "LAST-ACK": break
    poller.poll()
'`);
  await program.printed(/^ESTABLISHED$/m);
  await daemon.killEngine();
  peer.end();
  await program.printed(/^CLOSE-WAIT$/m);
  await daemon.run(`nft -f - <<< 'table ip silence {
    chain output { type filter hook output priority 0; ip daddr 10.7.0.2 drop; }
  }'`);
  await daemon.run('echo wr > net/tcp/chat/shutdown');
  t.match(await program.ended, {
    stdout: 'ESTABLISHED\nCLOSE-WAIT\nLAST-ACK\n',
    stderr: '',
    status: 0,
  });
  await daemon.run('nft delete table ip silence');
});

t.test('holdfast wait', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = await established(t, daemon, 'chat', 9000);
  const quiet = { status: 0, stdout: '', stderr: '' };
  t.same(await daemon.holdfast('wait net/tcp/chat ESTABLISHED'), quiet, 'it is there');
  const [waited] = await Promise.all([
    daemon.holdfast('wait net/tcp/chat CLOSE-WAIT CLOSED --timeout 600'),
    daemon.killEngine().then(() => peer.end()),
  ]);
  t.same(waited, quiet, 'also when the engine dies meanwhile');

  const late = await daemon.holdfast('wait net/tcp/chat ESTABLISHED --timeout 0.2');
  t.match(late, { status: 1, stderr: /chat was not ESTABLISHED in time$/m });

  await daemon.run(`mkdir net/tcp/lost; echo ${HOST}:1 > net/tcp/lost/connect`);
  const failed = await daemon.holdfast('wait net/tcp/lost ESTABLISHED');
  t.match(failed, { status: 1, stderr: /has failed: ECONNREFUSED Connection refused$/m });

  t.match(await daemon.holdfast('wait net/tcp/nobody CLOSED'), { status: 1, stderr: /ENOENT/ });
  const removed = daemon.holdfast('wait net/tcp/chat ESTABLISHED');
  await daemon.run('rmdir net/tcp/chat');
  t.match(await removed, { status: 1, stderr: /is no connection, or none any more/ });
});

t.test('what it cannot wait for', async (t) => {
  const daemon = Daemon.prepare(t);
  for (const words of [
    'wait',
    'wait net/tcp/chat',
    'wait net/tcp/chat established',
    'wait net/tcp/chat CLOSED --timeout soon',
    'wait net/tcp/chat CLOSED --patience 1',
  ]) {
    t.match(await daemon.holdfast(words), { status: 64, stdout: '' }, words);
  }
});
