import t from 'tap';
import { type Attempt, BLOCKED } from '../../../fs/attempt.ts';
import type { Opened } from '../../../fs/tree.ts';
import { errnoOf, O_RDONLY, O_RDWR, World } from '../world.ts';

const POLLIN = 0x1;
const ALICE = { uid: 1000, gid: 100 };

/** A world with the listener `server`, of which nobody has been accepted. */
function serving(): World {
  const world = new World();
  world.mkdir('server', ALICE, 0o700);
  world.write('tcp/server/listen', ':80');
  return world;
}

/** What open(2) begins with: one attempt. */
function attempt(world: World, name = 'server'): Attempt<Opened> {
  return world.tree.open(world.find(`tcp/${name}/accept_data`).node, O_RDWR, world.call());
}

function read(world: World, handle: number): string {
  const target = new Uint8Array(100);
  const count = world.wait((call) => world.tree.read(handle, 0, target, call));
  return new TextDecoder().decode(target.subarray(0, count));
}

t.test('each open is the stream of another connection, in the order of their coming', async (t) => {
  const world = serving();
  t.equal(attempt(world), BLOCKED);
  const peers = [1, 2].map(() => world.connectThere(80));
  t.same(world.names(), ['server'], 'nobody has accepted them');
  const handles = peers.map(() => (attempt(world) as Opened).handle);
  t.equal(attempt(world), BLOCKED);
  for (const [i, peer] of peers.entries()) {
    world.sendThere(peer, `hello ${i}`);
    t.equal(read(world, handles[i]!), `hello ${i}`);
    world.writeHandle(handles[i]!, `bye ${i}`);
    t.equal(world.receiveThere(peer), `bye ${i}`);
  }
  const [, name] = world.names();
  t.match(world.find(`tcp/${name}`), { ...ALICE, mode: 0o040700 });
  t.equal(world.read(`tcp/${name}/remote`), `10.7.0.1:${peers[0]!.local!.port}\n`);
});

t.test('the last close closes the connection', async (t) => {
  const world = serving();
  const peer = world.connectThere(80);
  const { handle } = attempt(world) as Opened;
  const [, name] = world.names();
  const state = world.open(`tcp/${name}/state`, O_RDONLY);
  world.writeHandle(handle, 'bye');
  world.tree.release(handle, world.now);
  world.settle();
  t.equal(peer.FIN_RECEIVED, 0, 'another of its files is open');
  world.tree.release(state, world.now);
  world.settle();
  t.equal(world.receiveThere(peer), 'bye');
  t.equal(peer.FIN_RECEIVED, 1);
  t.same(world.names(), ['server']);
});

t.test('what an open waits for is the listener', async (t) => {
  const world = serving();
  const { node } = world.find('tcp/server/accept_data');
  const accept = world.open('tcp/server/accept', O_RDONLY);
  t.equal(attempt(world), BLOCKED);
  t.equal(world.tree.poll(accept) & POLLIN, 0);
  world.takeChanged();
  world.connectThere(80);
  const changed = world.takeChanged().map(({ ID }) => ID);
  t.ok(changed.includes(world.tree.openWaitsOn(node, 0)));
  t.equal(world.tree.poll(accept) & POLLIN, POLLIN, 'accept says when an open would not wait');
  const opened = attempt(world) as Opened;
  t.equal(opened.stream, true);
  t.not(world.tree.connectionOf(opened.handle), world.tree.openWaitsOn(node, 0));
});

t.test('the next engine has the same connection', async (t) => {
  const world = serving();
  const peer = world.connectThere(80);
  const { handle } = attempt(world) as Opened;
  world.restart();
  world.tree.settle(world.now);
  world.sendThere(peer, 'hello');
  t.equal(read(world, handle), 'hello');
  world.restart();
  world.tree.freshMount(world.now);
  world.settle();
  t.equal(peer.FIN_RECEIVED, 1, 'on another mount nobody has it open');
});

t.test('a listener that is gone', async (t) => {
  const world = serving();
  const peer = world.connectThere(80);
  const { node } = world.find('tcp/server/accept_data');
  const { handle } = attempt(world) as Opened;
  world.rmdir('server');
  t.equal(
    errnoOf(() => world.tree.open(node, O_RDWR, world.call())),
    'ESTALE',
  );
  t.match(world.tree.getattr(node, world.now), { node, mode: 0o100666 }, 'fstat(2) goes on');
  world.sendThere(peer, 'hello');
  t.equal(read(world, handle), 'hello');
});

t.test('not listening', async (t) => {
  const world = new World();
  world.establish('chat');
  world.mkdir('idle');
  for (const name of ['chat', 'idle']) {
    t.equal(
      errnoOf(() => attempt(world, name)),
      'EINVAL',
      name,
    );
  }
});

t.test('whose owner has as many as they may', async (t) => {
  const world = new World({ limits: { connections: 2, bufferBytes: Infinity } });
  world.mkdir('server', ALICE);
  world.write('tcp/server/listen', ':80');
  for (const _ of [1, 2]) world.connectThere(80);
  const { handle } = attempt(world) as Opened;
  t.equal(
    errnoOf(() => attempt(world)),
    'ENFILE',
  );
  world.tree.release(handle, world.now);
  t.ok((attempt(world) as Opened).handle, 'it has waited on');
});
