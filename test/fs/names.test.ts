import t from 'tap';
import { BLOCKED, type Call } from '../../fs/attempt.ts';
import type { Opened } from '../../fs/tree.ts';
import { errnoOf, O_RDWR, O_WRONLY, THERE, World } from './world.ts';

/** Addresses at which nobody is. */
const NOBODY = ['10.7.0.98', '10.7.0.99'];

const encoder = new TextEncoder();

function worldWith(...addresses: string[]): World {
  const world = new World();
  world.listenThere(9000);
  world.resolver.hosts.set('db', addresses);
  return world;
}

/** Resolves a question as a shell does, on one descriptor. */
function ask(world: World, question: string): string {
  const handle = world.open('resolve', O_RDWR);
  try {
    world.writeHandle(handle, question);
  } catch {
    // What went wrong is the answer.
  }
  const answer = world.readHandle(handle, 10);
  world.tree.release(handle, world.now);
  return answer;
}

t.test('connect and dial take names of hosts and services', async (t) => {
  const world = worldWith(THERE);
  world.listenThere(13);
  world.mkdir('chat');
  world.write('tcp/chat/connect', 'db:daytime');
  t.equal(world.read('tcp/chat/remote'), `${THERE}:13\n`);
  world.mkdir('other');
  world.write('tcp/other/ctl', 'connect tcp!db!9000\n');
  t.equal(world.read('tcp/other/remote'), `${THERE}:9000\n`);
  const { node } = world.find('dial/db:daytime');
  world.wait((call) => world.tree.open(node, O_RDWR, call));
  const last = world.names().at(-1);
  t.equal(world.read(`tcp/${last}/remote`), `${THERE}:13\n`);
});

t.test('so do connect and remote of a UDP socket', async (t) => {
  const world = worldWith('fd00:7::9', THERE);
  world.mkdirUdp('ask');
  world.write('udp/ask/remote', 'db:domain');
  t.equal(world.read('udp/ask/remote'), `${THERE}:53\n`, 'there is no IPv6 here');
  world.write('udp/ask/connect', 'udp!db!52');
  t.equal(world.read('udp/ask/remote'), `${THERE}:52\n`);
  world.write('udp/ask/ctl', 'ttl 3\nconnect db:54');
  t.equal(world.read('udp/ask/remote'), `${THERE}:54\n`);
  t.equal(ask(world, 'udp!db!domain'), `[fd00:7::9]:53\n${THERE}:53\n`);
  for (const [address, errno] of [
    ['nobody:53', 'ENOENT'],
    ['db:daytime', 'EINVAL'],
    ['tcp!db!53', 'EINVAL'],
  ] as const) {
    t.equal(
      errnoOf(() => world.write('udp/ask/connect', address)),
      errno,
    );
  }
});

t.test('a UDP socket that waits for a name has done nothing yet', async (t) => {
  const world = worldWith(THERE);
  world.mkdirUdp('ask');
  world.resolver.isSilent = true;
  const handle = world.open('udp/ask/ctl', O_WRONLY);
  const source = encoder.encode('ttl 3\nconnect db:53\nttl 4');
  const call = world.call();
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED);
  t.same(world.resolver.waiting.get('db'), [world.tree.connectionOf(handle)]);
  t.equal(world.read('udp/ask/connect'), 'not connected\n');
  t.equal(world.read('udp/ask/sockopts/ttl'), '3\n');
  world.resolver.isSilent = false;
  world.restart();
  t.equal(world.tree.write(handle, 0, source, world.call({ note: call.note })), source.length);
  t.equal(world.read('udp/ask/remote'), `${THERE}:53\n`);
  t.equal(world.read('udp/ask/sockopts/ttl'), '4\n');
});

t.test('names that nobody knows', async (t) => {
  const world = worldWith(THERE);
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', 'nobody:80')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', 'db:gopher')),
    'EINVAL',
  );
  const { node } = world.find('dial/nobody:80');
  t.equal(
    errnoOf(() => world.tree.open(node, O_RDWR, world.call())),
    'ENOENT',
  );
  t.equal(world.here.pcbs.size, 1);
  t.equal(
    errnoOf(() => world.find('dial/db:gopher')),
    'ENOENT',
    'a service is known without asking anybody',
  );
});

t.test('the addresses of a host are tried one after the other', async (t) => {
  const world = worldWith('fd00:7::9', NOBODY[0]!, THERE);
  world.isCut = true;
  world.mkdir('chat');
  const handle = world.open('tcp/chat/connect', O_WRONLY);
  const source = encoder.encode('db:9000');
  const call = world.call();
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED);
  t.equal(call.note, 2, 'there is no IPv6 here, so that was the second');
  t.equal(world.read('tcp/chat/remote'), `${NOBODY[0]}:9000\n`);
  world.pass(300_000);
  world.isCut = false;
  world.restart();
  const again = world.call({ note: call.note });
  t.equal(world.tree.write(handle, 0, source, again), BLOCKED);
  t.equal(again.note, 3);
  world.settle();
  t.equal(world.tree.write(handle, 0, source, again), source.length);
  t.equal(world.read('tcp/chat/remote'), `${THERE}:9000\n`);
});

t.test('so they are by an open; when all are tried, it fails as the last one did', async (t) => {
  for (const isRefused of [true, false]) {
    const world = worldWith(NOBODY[0]!, THERE);
    const port = isRefused ? 9001 : 9000;
    const { node } = world.find(`dial/db:${port}`);
    const call = world.call();
    world.isCut = true;
    t.equal(world.tree.open(node, O_RDWR, call), BLOCKED);
    world.pass(300_000);
    const first = call.note;
    t.equal(world.tree.open(node, O_RDWR, call), BLOCKED);
    t.equal(call.note, first, 'it is the same handle, and another address');
    world.restart();
    world.isCut = false;
    world.settle();
    const open = () => world.tree.open(node, O_RDWR, call);
    if (isRefused) t.equal(errnoOf(open), 'ECONNREFUSED');
    else t.match(open(), { handle: first, stream: true });
    world.settle();
    t.equal(world.here.pcbs.size, isRefused ? 0 : 1);
  }
});

t.test('while a name is asked for, everybody waits, and nothing has happened', async (t) => {
  const world = worldWith(THERE);
  world.resolver.isSilent = true;
  const { node } = world.find('dial/db:9000');
  const dialing = world.call();
  t.equal(world.tree.open(node, O_RDWR, dialing), BLOCKED);
  t.equal(dialing.note, 0);
  t.equal(world.here.pcbs.size, 0);

  world.mkdir('chat');
  const connect = world.open('tcp/chat/connect', O_WRONLY);
  const source = encoder.encode('db:9000');
  const connecting: Call = world.call();
  t.equal(world.tree.write(connect, 0, source, connecting), BLOCKED);
  t.equal(connecting.note, 0);
  t.equal(
    world.tree.write(connect, 0, source, world.call({ nonblocking: true })),
    BLOCKED,
    'so O_NONBLOCK is answered EAGAIN',
  );
  t.same(world.resolver.waiting.get('db'), [
    0,
    world.tree.connectionOf(connect),
    world.tree.connectionOf(connect),
  ]);

  const question = world.open('resolve', O_RDWR);
  t.equal(world.tree.write(question, 0, source, world.call()), BLOCKED);

  world.resolver.isSilent = false;
  t.equal(world.tree.open(node, O_RDWR, dialing), BLOCKED);
  t.equal(world.tree.write(connect, 0, source, connecting), BLOCKED);
  world.settle();
  t.ok((world.tree.open(node, O_RDWR, dialing) as Opened).handle > 0);
  t.equal(world.tree.write(connect, 0, source, connecting), source.length);
  t.equal(world.tree.write(question, 0, source, world.call()), source.length);
});

t.test('resolve: an answer to each question', async (t) => {
  const world = worldWith('fd00:7::1', THERE);
  t.match(world.find('resolve'), { mode: 0o100666, size: 16 * 1024 * 1024 });
  t.equal(ask(world, 'tcp!db!daytime\n'), `[fd00:7::1]:13\n${THERE}:13\n`);
  t.equal(ask(world, 'db:80'), `[fd00:7::1]:80\n${THERE}:80\n`);
  t.equal(ask(world, '10.7.0.1!80'), '10.7.0.1:80\n');
  t.equal(ask(world, 'nobody:80'), 'ENOENT no host is called nobody\n');
  t.equal(ask(world, 'db:gopher'), 'EINVAL there is no service gopher over TCP\n');
  t.equal(ask(world, 'nonsense'), 'EINVAL this is not the address of a host and a port\n');
  const handle = world.open('resolve', O_RDWR);
  t.equal(world.readHandle(handle), '', 'nobody has asked anything');
  world.writeHandle(handle, 'db:80');
  world.restart();
  world.writeHandle(handle, '10.7.0.1:80');
  world.restart();
  t.equal(world.readHandle(handle), '10.7.0.1:80\n', 'the last question counts');
  t.equal(world.readHandle(handle), '', 'an answer is given once');
});
