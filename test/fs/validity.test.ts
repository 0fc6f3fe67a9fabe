import t from 'tap';
import { DIAL, DIALED, fileNode, ROOT, SOCKOPTS, TCP, UDP } from '../../fs/node-id.ts';
import { validityOf } from '../../fs/validity.ts';
import { World } from './world.ts';

t.test('what never changes holds for long', async (t) => {
  const { node: clone } = new World().find('tcp/clone');
  for (const node of [DIAL, clone, fileNode(7, DIALED)]) {
    const { name, attributes } = validityOf(node);
    t.ok(name >= 1000 && attributes >= 1000, `${node}`);
  }
});

t.test('who may keep what was said of a connection is told when it holds no more', async (t) => {
  const world = new World();
  world.mkdir('chat');
  world.mkdir('other');
  t.same(world.tree.takeOutdated(), []);
  const { node } = world.find('tcp/chat');
  t.ok(validityOf(node).attributes > 100);
  const file = world.find('tcp/chat/accept_data').node;
  t.ok(validityOf(file).attributes > 100);
  world.tree.setattr(world.find('tcp/chat/state').node, { mode: 0o600 }, world.call());
  t.same(world.tree.takeOutdated(), [node, file]);
  t.same(world.tree.takeOutdated(), []);
  world.restart();
  world.rmdir('chat');
  t.same(world.tree.takeOutdated(), [node, file], 'also what an engine before has said');
});

t.test('nobody has to be told of what nobody has asked for', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  world.connectThere(80);
  const handle = world.open('tcp/server/accept_data', 2);
  world.tree.release(handle, world.now);
  t.same(world.tree.takeOutdated(), []);
});

t.test(
  'names inside a connection hold, owner and permissions only for the call that asks',
  async (t) => {
    for (const node of [fileNode(7, SOCKOPTS), fileNode(7, 17), ROOT]) {
      t.ok(validityOf(node).attributes <= 1, `${node}`);
    }
    for (const node of [TCP, UDP]) t.ok(validityOf(node).attributes <= 20, `${node}`);
    t.ok(validityOf(fileNode(7, 17)).name >= 1000);
  },
);

t.test('how long a growing file is, is asked for each time', async (t) => {
  const world = new World();
  for (const path of ['log', 'events']) {
    t.equal(validityOf(world.find(path).node).attributes, 0, path);
  }
});
