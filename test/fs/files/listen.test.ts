import t from 'tap';
import { errnoOf, HERE, World } from '../world.ts';

t.test('a backlog alone listens at any port', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', '5');
  t.match(world.read('tcp/server/local'), /^\[::\]:\d+\n$/);
});

t.test('a backlog, when bound', async (t) => {
  const world = new World();
  world.mkdir('server');
  t.equal(world.read('tcp/server/listen'), '0\n');
  world.write('tcp/server/bind', `${HERE}:80`);
  world.write('tcp/server/listen', '5\n');
  t.equal(world.read('tcp/server/listen'), '5\n');
  t.equal(world.read('tcp/server/state'), 'LISTEN\n');
  for (const bad of ['-1', '1.5', '99999999999', 'five', '0x5']) {
    t.equal(
      errnoOf(() => world.write('tcp/server/listen', bad)),
      'EINVAL',
      bad,
    );
  }
});

t.test('an address binds first', async (t) => {
  const world = new World();
  for (const [name, address] of [
    ['a', `${HERE}:81`],
    ['b', `tcp!${HERE}!82\r\n`],
    ['c', '*!83\n'],
    ['d', ':84'],
  ] as const) {
    world.mkdir(name);
    world.write(`tcp/${name}/listen`, address);
    t.equal(world.read(`tcp/${name}/state`), 'LISTEN\n', address);
    t.match(world.read(`tcp/${name}/local`), /:8[1-4]\n$/);
  }
  world.mkdir('e');
  t.equal(
    errnoOf(() => world.write('tcp/e/listen', ':81')),
    'EADDRINUSE',
  );
  t.equal(
    errnoOf(() => world.write('tcp/e/listen', '10.7.0.77:85')),
    'EADDRNOTAVAIL',
  );
  t.equal(
    errnoOf(() => world.write('tcp/e/listen', ':1023', { uid: 1 })),
    'EACCES',
  );
  t.equal(world.read('tcp/e/state'), 'CLOSED\n');
  world.write('tcp/e/listen', ':1024', { uid: 1 });
  t.equal(world.read('tcp/e/state'), 'LISTEN\n');
});

t.test('a connection does not listen', async (t) => {
  const world = new World();
  world.establish('chat');
  t.equal(
    errnoOf(() => world.write('tcp/chat/listen', '5')),
    'EINVAL',
  );
});
