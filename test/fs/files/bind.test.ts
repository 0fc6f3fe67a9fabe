import t from 'tap';
import { errnoOf, HERE, THERE, World } from '../world.ts';

t.test('the local address', async (t) => {
  const world = new World();
  world.mkdir('a');
  t.equal(world.read('tcp/a/bind'), '\n');
  world.write('tcp/a/bind', `${HERE}!8000\n`);
  t.equal(world.read('tcp/a/bind'), `${HERE}:8000\n`);
  t.equal(
    errnoOf(() => world.write('tcp/a/bind', ':8001')),
    'EINVAL',
    'only once',
  );
  world.listenThere(9000);
  world.write('tcp/a/connect', `${THERE}:9000`);
  t.equal(world.read('tcp/a/local'), `${HERE}:8000\n`);
});

t.test('any free port', async (t) => {
  const world = new World();
  world.mkdir('a');
  world.write('tcp/a/bind', ':0', { uid: 1000 });
  t.match(world.read('tcp/a/bind'), /^\[::\]:[1-9][0-9]{4}\n$/);
});

t.test('what cannot be bound', async (t) => {
  const world = new World();
  world.mkdir('a');
  world.mkdir('b');
  world.write('tcp/a/bind', ':8000');
  t.equal(
    errnoOf(() => world.write('tcp/b/bind', ':8000')),
    'EADDRINUSE',
  );
  t.equal(
    errnoOf(() => world.write('tcp/b/bind', `${THERE}:8001`)),
    'EADDRNOTAVAIL',
  );
  t.equal(
    errnoOf(() => world.write('tcp/b/bind', 'nonsense')),
    'EINVAL',
  );
  t.equal(
    errnoOf(() => world.write('tcp/b/bind', ':1', { uid: 1000 })),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.write('tcp/b/bind', ':1023', { uid: 1000 })),
    'EACCES',
  );
  world.write('tcp/b/bind', ':1023', { uid: 0 });
  t.equal(world.read('tcp/b/bind'), '[::]:1023\n');
});
