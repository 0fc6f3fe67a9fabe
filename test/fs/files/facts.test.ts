import t from 'tap';
import { HERE, THERE, World } from '../world.ts';

t.test('state', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n');
  world.there.shutdown(peer, world.now);
  world.settle();
  // Names as in RFC 9293 section 3.3.2.
  t.equal(world.read('tcp/chat/state'), 'CLOSE-WAIT\n');
});

t.test('local, remote, error: an empty line when there is nothing to say', async (t) => {
  const world = new World();
  world.mkdir('idle');
  for (const name of ['local', 'remote', 'error']) t.equal(world.read(`tcp/idle/${name}`), '\n');
  const peer = world.establish('chat');
  t.equal(world.read('tcp/chat/local'), `${HERE}:${peer.remote?.port}\n`);
  t.equal(world.read('tcp/chat/remote'), `${THERE}:9000\n`);
  t.equal(world.read('tcp/chat/error'), '\n');
  world.there.abort(peer, world.now);
  world.settle();
  // strerror(ECONNRESET) of glibc.
  t.equal(world.read('tcp/chat/error'), 'ECONNRESET Connection reset by peer\n');
});

t.test('status: a key and a value in each line, with the names of the RFCs', async (t) => {
  const world = new World();
  world.establish('chat');
  const before = status(world, 'chat');
  t.match(before, { name: 'chat', id: '1', state: 'ESTABLISHED', remote: `${THERE}:9000` });
  world.write('tcp/chat/data', '12345');
  world.pass(1000);
  const after = status(world, 'chat');
  const grown = (Number(after['SND.UNA']) - Number(before['SND.UNA'])) >>> 0;
  t.equal(grown, 5, 'what was sent is acknowledged');
  t.equal(after['SND.NXT'], after['SND.UNA']);
  for (const key of ['SND.WND', 'RCV.NXT', 'RCV.WND', 'ISS', 'IRS', 'RTO', 'cwnd', 'ssthresh']) {
    t.match(after[key], /^[0-9.]+$/, key);
  }
  t.equal(after['peer_patience_seconds'], '924', 'tcp_retries2 of Linux');
  world.mkdir('idle');
  t.match(status(world, 'idle'), { state: 'CLOSED', local: '', remote: '', error: '' });
  t.equal(status(world, 'idle')['peer_patience_seconds'], '');
});

t.test('status: a name says nothing of its own', async (t) => {
  const world = new World();
  const name = 'a\nstate ESTABLISHED';
  world.mkdir(name);
  t.match(status(world, name), { name: 'a\\012state\\040ESTABLISHED', state: 'CLOSED' });
});

function status(world: World, name: string): Record<string, string> {
  const lines = world.read(`tcp/${name}/status`).trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => /^(\S+) (.*)$/.exec(line)!.slice(1)));
}
