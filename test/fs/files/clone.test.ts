import t from 'tap';
import { errnoOf, O_RDWR, THERE, World } from '../world.ts';

const ALICE = { uid: 1000, gid: 100 };

t.test('each open makes a connection; the open file is its ctl', async (t) => {
  const world = new World();
  world.listenThere(9000);
  const first = world.open('tcp/clone', O_RDWR, ALICE);
  const second = world.open('tcp/clone', O_RDWR);
  t.equal(world.readHandle(first), '1\n');
  t.equal(world.readHandle(second), '2\n');
  t.match(world.find('tcp/1'), { uid: 1000, gid: 100, mode: 0o040770 });
  t.equal(world.tree.connectionOf(first), 1);
  world.writeHandle(first, `connect ${THERE}:9000\n`);
  t.equal(world.read('tcp/1/state'), 'ESTABLISHED\n');
  t.equal(world.readHandle(first), '1\n');
});

t.test('closing it leaves the connection alone', async (t) => {
  const world = new World();
  const handle = world.open('tcp/clone', O_RDWR);
  world.tree.release(handle, world.now);
  world.settle();
  t.same(world.names(), ['1']);
});

t.test('it is the ctl for the next engine, too', async (t) => {
  const world = new World();
  const handle = world.open('tcp/clone', O_RDWR);
  world.restart();
  t.equal(world.readHandle(handle), '1\n');
  world.writeHandle(handle, 'close');
  t.equal(
    errnoOf(() => world.find('tcp/1')),
    'ENOENT',
  );
});
