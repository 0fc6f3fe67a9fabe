import t from 'tap';
import { type Attempt, BLOCKED, type Call } from '../../fs/attempt.ts';
import type { Opened } from '../../fs/tree.ts';
import { State } from '../../tcp/state.ts';
import { errnoOf, O_RDONLY, O_RDWR, O_WRONLY, THERE, World } from './world.ts';

const ALICE = { uid: 1000, gid: 100 };
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLERR = 0x8;
const ADDRESS = `${THERE}:9000`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What open(2) begins with: one attempt. */
function attempt(world: World, address: string, call: Call, flags = O_RDWR): Attempt<Opened> {
  return world.tree.open(world.find(`dial/${address}`).node, flags, call);
}

/** open(2) as a program makes it. */
function dial(world: World, address = ADDRESS, options: Partial<Call> = {}): number {
  const { node } = world.find(`dial/${address}`);
  return world.wait((call) => world.tree.open(node, O_RDWR, call), options).handle;
}

function read(world: World, handle: number): string {
  const target = new Uint8Array(100);
  const count = world.wait((call) => world.tree.read(handle, 0, target, call));
  return decoder.decode(target.subarray(0, count));
}

t.test('looking makes nothing', async (t) => {
  const world = new World();
  world.listenThere(9000);
  const file = world.find(`dial/${ADDRESS}`);
  t.match(file, { mode: 0o100666, uid: 0, gid: 0, size: 16 * 1024 * 1024, links: 1 });
  t.same(world.find(`dial/${ADDRESS}`), file);
  t.same(world.tree.getattr(file.node, world.now), file);
  t.not(world.find(`dial/${THERE}:9001`).node, file.node);
  t.same(world.list('dial'), ['.', '..']);
  t.same(world.names(), []);
  t.equal(world.here.pcbs.size, 0);
  world.settle();
  t.equal(world.here.counters.TcpActiveOpens, 0);
});

t.test('what is no address is not there', async (t) => {
  const world = new World();
  const { node } = world.find('dial');
  for (const address of ['10.7.0.1:80', '[fd00:7::1]:80', '10.7.0.1!80', 'tcp!10.7.0.1!80']) {
    t.ok(world.find(`dial/${address}`), address);
  }
  for (const name of [
    ...['', '10.7.0.1', '10.7.0.1:', '10.7.0.1:0', '10.7.0.1:65536', '10.7.0.1:-1', ' 10.7.0.1:80'],
    ...['10.7.0.256:80', '010.7.0.1:80', 'fd00:7::1:80', ':80', '80', '*:80', '0.0.0.0:80'],
    ...['[::]:80', '[]:80', '10.7.0.1:80\n', 'udp!10.7.0.1!80', `${'1'.repeat(250)}:80`],
  ]) {
    t.equal(
      errnoOf(() => world.tree.lookup(node, name, world.now)),
      'ENOENT',
      JSON.stringify(name),
    );
  }
  t.equal(
    errnoOf(() => world.tree.create(node)),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.tree.create(world.find('tcp').node)),
    'EACCES',
  );
  t.equal(
    errnoOf(() =>
      world.tree.setattr(world.find(`dial/${ADDRESS}`).node, { mode: 0 }, world.call()),
    ),
    'EPERM',
  );
});

t.test('the open ends when the connection is there; the open file is the stream', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  const call = world.call(ALICE);
  t.equal(attempt(world, ADDRESS, call), BLOCKED);
  t.not(call.note, 0);
  t.equal(attempt(world, ADDRESS, call), BLOCKED, 'it is not dialed twice');
  world.settle();
  const opened = attempt(world, ADDRESS, call);
  t.match(opened, { stream: true, directory: false, handle: call.note });
  const { handle } = opened as Opened;
  const peer = world.there.accept(listener)!;
  t.equal(world.there.accept(listener), undefined);

  const [name] = world.names();
  t.match(world.find(`tcp/${name}`), { uid: 1000, gid: 100, mode: 0o040770 });
  t.equal(world.read(`tcp/${name}/remote`), `${ADDRESS}\n`);
  t.equal(world.tree.poll(handle) & (POLLIN | POLLOUT), POLLOUT);
  world.writeHandle(handle, 'hello');
  t.equal(world.receiveThere(peer), 'hello');
  world.sendThere(peer, 'hello yourself');
  t.equal(world.tree.poll(handle) & POLLIN, POLLIN);
  t.equal(read(world, handle), 'hello yourself');
});

t.test('the last close closes the connection, after what was written', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  const handle = dial(world);
  const peer = world.there.accept(listener)!;
  world.isCut = true;
  world.writeHandle(handle, 'x'.repeat(5000));
  world.tree.release(handle, world.now);
  t.same(world.names(), []);
  world.isCut = false;
  world.pass(5000);
  t.equal(world.receiveThere(peer), 'x'.repeat(5000));
  t.equal(peer.FIN_RECEIVED, 1);
  world.there.close(peer, world.now);
  world.pass(300_000);
  t.equal(world.here.pcbs.size, 0);
});

t.test('each open is a connection of its own', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  const handles = [dial(world), dial(world)];
  t.equal(world.names().length, 2);
  for (const [i, handle] of handles.entries()) world.writeHandle(handle, `${i}`);
  for (const text of ['0', '1']) t.equal(world.receiveThere(world.there.accept(listener)!), text);
});

t.test('a failure is that of connect(2), and leaves nothing', async (t) => {
  const world = new World();
  t.equal(
    errnoOf(() => dial(world)),
    'ECONNREFUSED',
  );
  world.settle();
  t.equal(world.here.pcbs.size, 0);
  t.equal(
    errnoOf(() => dial(world, '224.0.0.1:80')),
    'ENETUNREACH',
  );
  t.equal(
    errnoOf(() => dial(world, '[fd00:7::1]:80')),
    'ENETUNREACH',
  );
  world.isCut = true;
  t.equal(
    errnoOf(() => dial(world)),
    'ETIMEDOUT',
  );
  world.settle();
  t.same(world.names(), []);
  t.equal(world.here.pcbs.size, 0);
  t.equal(world.records.of('handle').size, 1, 'what is reserved');
});

t.test('O_NONBLOCK: the open file is one of a connection that is not there yet', async (t) => {
  for (const isListening of [true, false]) {
    const world = new World();
    const listener = isListening ? world.listenThere(9000) : undefined;
    world.isCut = true;
    const call = world.call({ nonblocking: true });
    const { handle } = attempt(world, ADDRESS, call) as Opened;
    t.equal(call.note, 0);
    t.equal(world.tree.poll(handle), 0);
    const source = encoder.encode('hello');
    t.equal(world.tree.write(handle, 0, source, world.call()), BLOCKED);
    t.equal(world.tree.read(handle, 0, new Uint8Array(9), world.call()), BLOCKED);
    world.isCut = false;
    world.pass(10_000);
    if (isListening) {
      t.equal(world.tree.poll(handle), POLLOUT | 0x100);
      world.writeHandle(handle, 'hello');
      t.equal(world.receiveThere(world.there.accept(listener!)!), 'hello');
    } else {
      t.equal(world.tree.poll(handle) & POLLERR, POLLERR);
      t.equal(
        errnoOf(() => world.tree.write(handle, 0, source, world.call())),
        'ECONNREFUSED',
      );
    }
    world.tree.release(handle, world.now);
    world.settle();
    t.equal(
      [...world.here.pcbs.values()].some(({ STATE }) => STATE === State.ESTABLISHED),
      false,
    );
  }
});

t.test('the next engine goes on waiting', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  const call = world.call();
  const { node } = world.find(`dial/${ADDRESS}`);
  world.restart();
  t.equal(world.tree.open(node, O_RDWR, call), BLOCKED, 'it knows the address');
  world.restart();
  t.equal(world.tree.open(node, O_RDWR, call), BLOCKED);
  world.tree.settle(world.now);
  world.settle();
  const { handle } = world.tree.open(node, O_RDWR, call) as Opened;
  const peer = world.there.accept(listener)!;
  t.equal(world.there.accept(listener), undefined, 'it was dialed once');
  world.restart();
  world.tree.settle(world.now);
  world.sendThere(peer, 'hello');
  t.equal(read(world, handle), 'hello');
});

t.test('a program that waits no more', async (t) => {
  const world = new World();
  world.listenThere(9000);
  const call = world.call();
  t.equal(attempt(world, ADDRESS, call), BLOCKED);
  world.tree.release(call.note, world.now);
  world.settle();
  t.same(world.names(), []);

  t.equal(attempt(world, ADDRESS, world.call()), BLOCKED);
  world.restart();
  t.equal(world.names().length, 1);
  world.tree.settle(world.now);
  world.settle();
  t.same(world.names(), [], 'its call has not come again');

  t.equal(attempt(world, ADDRESS, world.call()), BLOCKED);
  world.restart();
  world.tree.freshMount(world.now);
  world.tree.settle(world.now);
  world.settle();
  t.same(world.names(), [], 'it was on another mount');
});

t.test('somebody else closes it meanwhile', async (t) => {
  for (const verb of ['close', 'hangup']) {
    const world = new World();
    world.isCut = true;
    const call = world.call();
    t.equal(attempt(world, ADDRESS, call), BLOCKED);
    world.write(`tcp/${world.names()[0]}/ctl`, verb);
    t.equal(
      errnoOf(() => attempt(world, ADDRESS, call)),
      'ECONNABORTED',
      verb,
    );
    t.same(world.names(), []);
  }
});

t.test('many are looked at, and few are remembered', async (t) => {
  const world = new World();
  world.listenThere(9000);
  const { node } = world.find(`dial/${ADDRESS}`);
  const kept = world.find(`dial/${THERE}:9001`).node;
  for (let port = 10_000; port < 11_023; port++) {
    world.find(`dial/${THERE}:${port}`);
    if (port === 10_500) t.equal(world.find(`dial/${THERE}:9001`).node, kept);
  }
  t.equal(
    errnoOf(() => world.tree.open(node, O_RDONLY, world.call())),
    'ESTALE',
  );
  t.equal(world.tree.getattr(node, world.now).links, 1, 'an open file has its attributes for ever');
  t.equal(world.tree.open(kept, O_WRONLY, world.call()), BLOCKED);
  t.ok(dial(world), 'whoever asks by its name again has another number');
  t.equal(world.records.of('dialed').size, 1024);
  world.tree.freshMount(world.now);
  t.equal(world.records.of('dialed').size, 0);
});
