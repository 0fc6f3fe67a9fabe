import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { errnoOf, O_RDONLY, World } from '../world.ts';

const POLLIN = 0x1;

t.test('one connection for each open, for whoever owns the listener', async (t) => {
  const world = new World();
  world.mkdir('server', { uid: 1000, gid: 100 }, 0o700);
  world.write('tcp/server/listen', ':80');
  const first = world.open('tcp/server/accept', O_RDONLY);
  const second = world.open('tcp/server/accept', O_RDONLY);
  const read = (handle: number, offset = 0) => {
    const target = new Uint8Array(16);
    const count = world.tree.read(handle, offset, target, world.call());
    return count === BLOCKED ? BLOCKED : new TextDecoder().decode(target.subarray(0, count));
  };
  t.equal(read(first), BLOCKED);
  t.equal(world.tree.poll(first) & POLLIN, 0);
  world.connectThere(80);
  t.same(world.names(), ['server'], 'nobody has accepted it');
  t.equal(world.tree.poll(first) & POLLIN, POLLIN);
  t.equal(world.tree.poll(second) & POLLIN, POLLIN);
  t.equal(read(first), '2\n');
  t.equal(read(first), '2\n', 'the same at the same place');
  t.equal(read(first, 2), '', 'and end of file behind it');
  t.equal(world.tree.poll(first) & POLLIN, POLLIN, 'the end of file is there to be read');
  t.equal(read(second), BLOCKED);
  t.equal(world.tree.poll(second) & POLLIN, 0);
  t.match(world.find('tcp/2'), { uid: 1000, gid: 100, mode: 0o040700 });
  t.equal(world.read('tcp/2/state'), 'ESTABLISHED\n');
  world.connectThere(80);
  world.restart();
  t.equal(read(first), '2\n', 'the next engine remembers whose it was');
  t.equal(read(second), '3\n');
  world.rmdir('server');
  t.equal(read(first, 2), '', 'also when the listener is gone');
});

t.test('in the order of their coming', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  const peers = [1, 2, 3].map(() => world.connectThere(80));
  for (const peer of peers) {
    const name = world.read('tcp/server/accept').trim();
    t.equal(world.read(`tcp/${name}/remote`), `10.7.0.1:${peer.local?.port}\n`);
  }
});

t.test('a server and its clients', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  for (let n = 0; n < 50; n++) {
    const peer = world.connectThere(80);
    world.sendThere(peer, `request ${n}`);
    const name = world.read('tcp/server/accept').trim();
    const handle = world.open(`tcp/${name}/data`, 2);
    const request = new Uint8Array(100);
    const length = world.wait((call) => world.tree.read(handle, 0, request, call));
    world.writeHandle(handle, request.subarray(0, length));
    world.tree.release(handle, world.now);
    world.rmdir(name);
    if (world.receiveThere(peer) !== `request ${n}` || !peer.atEnd) t.fail(`request ${n}`);
    world.there.close(peer, world.now);
  }
  t.same(world.names(), ['server']);
  world.pass(120_000);
  t.equal(world.here.pcbs.size, 1);
});

t.test('not listening', async (t) => {
  const world = new World();
  world.establish('chat');
  t.equal(
    errnoOf(() => world.read('tcp/chat/accept')),
    'EINVAL',
  );
  world.mkdir('idle');
  t.equal(
    errnoOf(() => world.read('tcp/idle/accept')),
    'EINVAL',
  );
});
