import '../namespace.ts';
import t from 'tap';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { readToEnd } from './peer.ts';

t.test('shutdown rd ends who reads, also after a death, and not the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = await established(t, daemon, 'chat', 9000);
  const [reader, told] = await Promise.all([
    daemon.run('cat net/tcp/chat/data'),
    daemon.run('echo shutdown rd > net/tcp/chat/ctl'),
  ]);
  t.same(told, { status: 0, stdout: '', stderr: '' });
  t.same(reader, { status: 0, stdout: '', stderr: '' });
  await daemon.killEngine();
  t.same((await daemon.run('cat net/tcp/chat/data')).stdout, '');
  t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
  await daemon.run('echo good bye > net/tcp/chat/data; echo shutdown rdwr > net/tcp/chat/ctl');
  t.equal(String(await readToEnd(peer)), 'good bye\n');
});
