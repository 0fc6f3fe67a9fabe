import t from 'tap';
import { errnoOf, O_RDWR, THERE, World } from '../world.ts';

t.test('new_socket is a clone that says where the connection is', async (t) => {
  const world = new World();
  world.listenThere(9000);
  const handle = world.open('tcp/new_socket', O_RDWR, { uid: 1000, gid: 100 });
  t.equal(world.readHandle(handle), 'tcp/1\n');
  t.match(world.find('tcp/1'), { uid: 1000, gid: 100, mode: 0o040770 });
  world.writeHandle(handle, `connect ${THERE}:9000`);
  t.equal(world.read('tcp/1/state'), 'ESTABLISHED\n');
  world.restart();
  t.equal(world.readHandle(handle), 'tcp/1\n', 'for the next engine, too');
  t.equal(world.read('tcp/1/ctl'), '1\n');
});

t.test('accept_socket gives each caller once, as accept does', async (t) => {
  const world = new World();
  world.mkdir('server');
  t.equal(
    errnoOf(() => world.read('tcp/server/accept_socket')),
    'EINVAL',
  );
  world.write('tcp/server/listen', ':80');
  world.connectThere(80);
  world.connectThere(80);
  t.equal(world.read('tcp/server/accept_socket'), 'tcp/2\n');
  t.equal(world.read('tcp/server/accept'), '3\n');
  t.same(world.names(), ['server', '2', '3']);
});
