import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { ErrnoError } from '../../../tcp/errno.ts';
import { seeded } from '../../seeded.ts';
import { errnoOf, HERE, O_RDWR, O_WRONLY, THERE, World } from '../world.ts';

const encoder = new TextEncoder();

t.test('it reads as the name', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.equal(world.read('tcp/chat/ctl'), 'chat\n');
});

t.test('connect', async (t) => {
  const world = new World();
  world.listenThere(9000);
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.write('tcp/chat/ctl', `connect ${THERE}:1`)),
    'ECONNREFUSED',
  );
  world.write('tcp/chat/ctl', `connect tcp!${THERE}!9000\r\n`);
  t.equal(world.read('tcp/chat/connect'), 'connected\n');
});

t.test('announce, bind, listen', async (t) => {
  const world = new World();
  world.mkdir('a');
  world.write('tcp/a/ctl', 'announce *!80\n');
  t.equal(world.read('tcp/a/local'), '[::]:80\n');
  t.equal(world.read('tcp/a/state'), 'LISTEN\n');
  world.mkdir('b');
  world.write('tcp/b/ctl', `bind ${HERE}:81\nlisten 3`);
  t.equal(world.read('tcp/b/bind'), `${HERE}:81\n`);
  t.equal(world.read('tcp/b/listen'), '3\n');
  world.mkdir('c');
  t.equal(
    errnoOf(() => world.write('tcp/c/ctl', 'announce :81')),
    'EADDRINUSE',
  );
  t.equal(
    errnoOf(() => world.write('tcp/c/ctl', 'announce :82', { uid: 5 })),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.write('tcp/c/ctl', 'bind :82', { uid: 5 })),
    'EACCES',
  );
});

t.test('shutdown wr', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.write('tcp/chat/data', 'all');
  world.write('tcp/chat/ctl', 'shutdown wr');
  t.equal(world.receiveThere(peer), 'all');
  t.equal(peer.atEnd, true);
  world.pass(100);
  t.equal(world.read('tcp/chat/state'), 'FIN-WAIT-2\n');
  t.equal(
    errnoOf(() => world.write('tcp/chat/data', 'more')),
    'EPIPE',
  );
  for (const other of ['shutdown', 'shutdown x', 'shutdown wr rd']) {
    t.equal(
      errnoOf(() => world.write('tcp/chat/ctl', other)),
      'EINVAL',
    );
  }
});

t.test('shutdown rd', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  t.equal(world.tree.read(handle, 0, new Uint8Array(1), world.call()), BLOCKED);
  world.takeChanged();
  world.write('tcp/chat/ctl', 'shutdown rd');
  t.same(
    world.takeChanged().map((pcb) => pcb.ID),
    [world.tree.connectionOf(handle)],
    'who waits is woken',
  );
  t.equal(world.readHandle(handle), '');
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n', 'the peer is not told');
  world.sendThere(peer, 'late');
  t.equal(world.readHandle(handle), 'late');
  t.equal(world.readHandle(handle), '');
  world.writeHandle(handle, 'still there');
  t.equal(world.receiveThere(peer), 'still there');
});

t.test('shutdown rdwr', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.write('tcp/chat/ctl', 'shutdown rdwr');
  t.equal(world.read('tcp/chat/state'), 'FIN-WAIT-2\n');
  t.equal(world.read('tcp/chat/data'), '');
  t.equal(peer.atEnd, true);
});

t.test('close: the directory stays until TCP is done', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.write('tcp/chat/data', 'all');
  world.write('tcp/chat/ctl', 'close');
  t.equal(world.receiveThere(peer), 'all');
  t.equal(peer.atEnd, true);
  world.pass(100);
  t.equal(world.read('tcp/chat/state'), 'FIN-WAIT-2\n');
  world.there.close(peer, world.now);
  world.settle();
  t.equal(world.read('tcp/chat/state'), 'TIME-WAIT\n');
  // 2 * MSL, 60 s in Linux.
  world.pass(59_000);
  t.equal(world.read('tcp/chat/state'), 'TIME-WAIT\n');
  world.pass(2_000);
  t.equal(
    errnoOf(() => world.find('tcp/chat')),
    'ENOENT',
  );
  t.equal(world.records.of('node').size, 0);
});

t.test('hangup: a reset, and gone', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.write('tcp/chat/ctl', 'hangup');
  t.equal(
    errnoOf(() => world.find('tcp/chat')),
    'ENOENT',
  );
  world.settle();
  t.equal(peer.state, 'CLOSED');
  t.not(peer.ERROR, 0);
});

t.test('nodelay and keepalive', async (t) => {
  const world = new World();
  world.mkdir('chat');
  for (const [verb, key] of [
    ['nodelay', 'NODELAY'],
    ['keepalive', 'KEEPALIVE'],
  ]) {
    t.match(world.read('tcp/chat/status'), `${key} 0\n`);
    world.write('tcp/chat/ctl', `${verb} on`);
    t.match(world.read('tcp/chat/status'), `${key} 1\n`);
    world.write('tcp/chat/ctl', `${verb} off`);
    t.match(world.read('tcp/chat/status'), `${key} 0\n`);
    t.equal(
      errnoOf(() => world.write('tcp/chat/ctl', `${verb}`)),
      'EINVAL',
    );
  }
});

t.test('lines in one write or in several', async (t) => {
  const world = new World();
  world.mkdir('one');
  world.write('tcp/one/ctl', 'bind :8001\n\n  listen   7  \n');
  t.equal(world.read('tcp/one/listen'), '7\n');
  world.mkdir('several');
  const handle = world.open('tcp/several/ctl', O_WRONLY);
  world.writeHandle(handle, 'bind :8002\n');
  world.writeHandle(handle, 'listen 8');
  t.equal(world.read('tcp/several/listen'), '8\n');
});

t.test('a failing line ends the write; those before it have happened', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const lines = 'bind :8001\nfly\nlisten 7\n';
  t.equal(
    errnoOf(() => world.write('tcp/chat/ctl', lines)),
    'EINVAL',
  );
  t.equal(world.read('tcp/chat/bind'), '[::]:8001\n');
  t.equal(world.read('tcp/chat/state'), 'CLOSED\n');
  t.equal(
    errnoOf(() => world.write('tcp/chat/ctl', 'hangup\nclose')),
    'ESTALE',
  );
});

t.test('a line that blocks is not repeated, and neither are those before it', async (t) => {
  const world = new World();
  world.listenThere(9000);
  world.mkdir('chat');
  const handle = world.open('tcp/chat/ctl', O_RDWR);
  const lines = encoder.encode(`bind :8001\nconnect ${THERE}:9000\nnodelay on`);
  const first = world.call();
  t.equal(world.tree.write(handle, 0, lines, first), BLOCKED);
  t.not(first.note, 0);
  t.equal(world.read('tcp/chat/state'), 'SYN-SENT\n');
  t.match(world.read('tcp/chat/status'), 'NODELAY 0\n');
  t.equal(world.tree.write(handle, 0, lines, first), BLOCKED, 'bind would now be EINVAL');
  world.restart();
  world.settle();
  t.equal(world.tree.write(handle, 0, lines, world.call({ note: first.note })), lines.length);
  t.match(world.read('tcp/chat/status'), 'NODELAY 1\n');
  t.equal(world.read('tcp/chat/local'), `${HERE}:8001\n`);
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n');
});

t.test('whatever is written, it works or fails with an errno', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const words = [
    ...['connect', 'announce', 'bind', 'listen', 'close', 'hangup', 'shutdown', 'nodelay'],
    ...['keepalive', 'on', 'off', 'wr', `${THERE}:9000`, '*!80', ':0', '-1', '99999', '4294967296'],
    ...['\n', '\r\n', '\n', ' ', '\t', '\0', '\u00e9', '\ufffd', '__proto__', 'constructor', ''],
  ];
  const world = new World();
  world.listenThere(9000);
  const outcomes = new Set<string>();
  for (let round = 0; round < 3000; round++) {
    const handle = world.open('tcp/clone', O_RDWR);
    const parts = Array.from({ length: random(8) }, () => words[random(words.length)]);
    const source = encoder.encode(parts.join(random(2) === 0 ? ' ' : ''));
    if (random(10) === 0 && source.length > 0) source[random(source.length)] = random(256);
    const call = world.call({ nonblocking: random(2) === 0 });
    try {
      const result = world.tree.write(handle, 0, source, call);
      if (result !== BLOCKED && result !== source.length) t.fail(`${result} of ${source.length}`);
      outcomes.add(typeof result);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      outcomes.add(error.errno);
    }
    if (world.here.pcbs.has(world.tree.connectionOf(handle))) {
      world.writeHandle(handle, 'hangup');
    }
    world.tree.release(handle, world.now);
    world.settle();
  }
  t.ok(outcomes.size > 3, [...outcomes].join(' '));
  t.equal(world.here.pcbs.size, 0);
});
