import t from 'tap';
import type { Call } from '../../fs/attempt.ts';
import { NO_LIMITS } from '../../fs/users.ts';
import { errnoOf, HERE, O_RDWR, THERE, World } from './world.ts';

const ALICE = { uid: 1000, gid: 100 };
const BOB = { uid: 1001, gid: 100 };
const MIB = 1024 * 1024;

/** All the ways to get one more connection, or UDP socket. */
const WAYS: Record<string, (world: World, user: Partial<Call>) => unknown> = {
  mkdir: (world, user) => world.mkdir('another', user),
  clone: (world, user) => world.open('tcp/clone', O_RDWR, user),
  new_socket: (world, user) => world.open('tcp/new_socket', O_RDWR, user),
  'udp/clone': (world, user) => world.open('udp/clone', O_RDWR, user),
  dial: (world, user) => {
    const { node } = world.find(`dial/${THERE}:9000`);
    return world.wait((call) => world.tree.open(node, O_RDWR, call), user);
  },
};

for (const [name, act] of Object.entries(WAYS)) {
  t.test(`${name}: so many connections for each user`, async (t) => {
    const world = new World({ limits: { ...NO_LIMITS, connections: 2 } });
    world.listenThere(9000);
    world.mkdir('one', ALICE);
    world.mkdir('two', ALICE);
    const sockets = world.here.pcbs.size + world.here.udp.pcbs.size;
    t.equal(
      errnoOf(() => act(world, ALICE)),
      'ENFILE',
    );
    world.restart();
    t.equal(
      errnoOf(() => act(world, ALICE)),
      'ENFILE',
      'to the next engine, too',
    );
    t.equal(world.here.pcbs.size + world.here.udp.pcbs.size, sockets);
    t.doesNotThrow(() => act(world, BOB), 'who has room of their own');
    world.rmdir('one', ALICE);
    if (name === 'mkdir') world.rmdir('another', BOB);
    t.doesNotThrow(() => act(world, ALICE));
  });
}

t.test('chown: it counts for the other from then on', async (t) => {
  const world = new World({ limits: { ...NO_LIMITS, connections: 1 } });
  const { node } = world.mkdir('one', ALICE);
  world.tree.setattr(node, { uid: BOB.uid }, world.call());
  world.mkdir('two', ALICE);
  t.equal(
    errnoOf(() => world.mkdir('three', BOB)),
    'ENFILE',
  );
});

t.test('accept: whoever has too many leaves the caller waiting', async (t) => {
  const world = new World({ limits: { ...NO_LIMITS, connections: 2 } });
  world.mkdir('srv', ALICE);
  world.write('tcp/srv/listen', `${HERE}:8080`, ALICE);
  world.mkdir('other', ALICE);
  world.connectThere(8080);
  const handle = world.open('tcp/srv/accept', 0, ALICE);
  t.equal(
    errnoOf(() => world.tree.read(handle, 0, new Uint8Array(9), world.call(ALICE))),
    'ENFILE',
  );
  world.rmdir('other', ALICE);
  t.match(world.readHandle(handle), /^\d+\n$/);
});

t.test('so many bytes for each user', async (t) => {
  const world = new World({ limits: { ...NO_LIMITS, bufferBytes: MIB } });
  world.listenThere(9000);
  const connect = (name: string, user: Partial<Call>) => {
    world.mkdir(name, user);
    world.write(`tcp/${name}/connect`, `${THERE}:9000`, user);
    world.here.setOption([...world.here.pcbs.values()].at(-1)!, 'SNDBUF', 512 * 1024, world.now);
  };
  connect('alice', ALICE);
  world.isCut = true;
  const written = world.write('tcp/alice/data', new Uint8Array(512 * 1024), ALICE);
  t.ok(written < 64 * 1024, `${written} bytes fit their share`);
  world.isCut = false;
  world.pass(1000);
  let made = 0;
  t.equal(
    errnoOf(() => {
      for (; made < 1000; made++) world.mkdir(`a${made}`, ALICE);
    }),
    'ENOBUFS',
  );
  t.ok(made > 30 && made < 64, `${made} connections`);
  world.mkdir('bob', BOB);
  world.restart();
  t.equal(
    errnoOf(() => world.mkdir('more', ALICE)),
    'ENOBUFS',
  );
  const used = world.here.memoryUsed;
  const { node } = world.find('tcp/a0');
  world.tree.setattr(node, { uid: BOB.uid }, world.call());
  t.equal(world.here.memoryUsed, used, 'to the stack it is the same');
  world.mkdir('more', ALICE);
});
