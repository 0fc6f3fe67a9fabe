import t from 'tap';
import { ROOT } from '../../../fs/node-id.ts';
import { errnoOf, O_WRONLY, World } from '../world.ts';

t.test('the directories of the engine are there, and nothing can be made in them', async (t) => {
  const world = new World();
  t.match(world.find('iface'), { mode: 0o040555, links: 2 });
  t.match(world.find(''), { links: 7 });
  t.same(world.list('iface'), ['.', '..', 'address', 'mtu', 'counters']);
  t.same(world.list('persist'), ['.', '..', 'status']);
  const { node } = world.find('iface');
  t.equal([...world.tree.readdir(node, 1)][0]?.node, ROOT);
  t.equal(
    errnoOf(() => world.tree.mkdir(node, 'chat', 0o755, world.call())),
    'EPERM',
  );
  t.equal(
    errnoOf(() => world.open('iface/mtu', O_WRONLY)),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.find('iface/tcp')),
    'ENOENT',
  );
});

t.test('what they say', async (t) => {
  const world = new World();
  t.equal(world.read('iface/address'), '10.7.0.2/24\n');
  t.equal(world.read('iface/mtu'), '1500\n');
  t.equal(world.read('persist/status'), 'durable 7\n');
  t.match(world.read('iface/counters'), /^received_packets 0$/m);
  world.establish('chat');
  t.match(world.read('iface/counters'), /^received_packets 1$/m);
  t.match(world.read('iface/counters'), /^sent_packets 2$/m);
});

t.test('every kind is used once', async (t) => {
  const { COMMON_FILES, CONNECTION_FILES, UDP_SOCKET_FILES } = await import('../../../fs/files.ts');
  const { SOCKOPTS_FILES, UDP_SOCKOPTS_FILES } = await import('../../../fs/sockopts.ts');
  const kinds = [...COMMON_FILES.values(), CONNECTION_FILES, SOCKOPTS_FILES].flatMap((files) => [
    ...files.keys(),
  ]);
  t.equal(new Set(kinds).size, kinds.length);
  t.ok(kinds.every((kind) => kind > 2 && kind < 240));
  const nameOf = new Map(
    [...CONNECTION_FILES, ...SOCKOPTS_FILES].map(([kind, { name }]) => [kind, name]),
  );
  for (const [kind, { name }] of [...UDP_SOCKET_FILES, ...UDP_SOCKOPTS_FILES]) {
    t.equal(nameOf.get(kind), name, 'but for the files of UDP that TCP has too');
  }
});
