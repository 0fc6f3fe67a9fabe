import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { errnoOf, O_RDONLY, O_WRONLY, World } from '../world.ts';

// asm-generic/poll.h
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLHUP = 0x10;

function reader(world: World, handle: number) {
  return (offset: number, length = 8) => {
    const target = new Uint8Array(length);
    const count = world.tree.read(handle, offset, target, world.call());
    return count === BLOCKED ? BLOCKED : new TextDecoder().decode(target.subarray(0, count));
  };
}

t.test('what is read there can still be read', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/peek', O_RDONLY);
  const read = reader(world, handle);
  t.equal(read(0), BLOCKED);
  t.equal(world.tree.poll(handle) & (POLLIN | POLLOUT), 0);
  t.equal(world.tree.connectionOf(handle), 1);
  world.sendThere(peer, 'hello, world');
  t.equal(world.tree.poll(handle) & (POLLIN | POLLOUT), POLLIN);
  t.equal(read(0), 'hello, w');
  t.equal(read(0), 'hello, w');
  t.equal(read(8), 'orld', 'and goes on behind it');
  t.equal(read(12), BLOCKED, 'until there is more');
  const data = reader(world, world.open('tcp/chat/data', O_RDONLY));
  t.equal(data(0, 7), 'hello, ');
  t.equal(read(0), 'world', 'offsets count from the oldest byte that nobody has read');
  t.equal(read(7), BLOCKED);
});

t.test('it ends where the stream ends', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.sendThere(peer, 'bye');
  world.there.shutdown(peer, world.now);
  world.settle();
  const handle = world.open('tcp/chat/peek', O_RDONLY);
  t.equal(world.readHandle(handle), 'bye');
  t.equal(world.readHandle(handle), 'bye');
  t.equal(world.read('tcp/chat/data'), 'bye');
  t.equal(world.readHandle(handle), '');
});

t.test('an error that it tells is still told to a reader of data', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.sendThere(peer, 'bye');
  world.there.abort(peer, world.now);
  world.settle();
  const handle = world.open('tcp/chat/peek', O_RDONLY);
  t.equal(world.tree.poll(handle) & POLLHUP, POLLHUP);
  const read = reader(world, handle);
  t.equal(read(0), 'bye');
  for (const path of ['tcp/chat/peek', 'tcp/chat/peek', 'tcp/chat/data']) {
    if (path.endsWith('data')) reader(world, world.open(path, O_RDONLY))(0);
    const other = world.open(path, O_RDONLY);
    t.equal(
      errnoOf(() => world.tree.read(other, 3, new Uint8Array(8), world.call())),
      'ECONNRESET',
      path,
    );
  }
  t.equal(read(0), '', 'told once');
});

t.test('never connected, and never written', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.read('tcp/chat/peek')),
    'ENOTCONN',
  );
  t.equal(world.find('tcp/chat/peek').mode, 0o100440);
  t.equal(
    errnoOf(() => world.open('tcp/chat/peek', O_WRONLY)),
    'EACCES',
  );
});
