import t from 'tap';
import {
  DIAL,
  DIALED,
  directoryNode,
  fileNode,
  ROOT,
  SOCKOPTS,
  TCP,
  UDP,
} from '../../fs/node-id.ts';
import { validityOf } from '../../fs/validity.ts';
import { World } from './world.ts';

t.test('what never changes holds for long', async (t) => {
  const { node: clone } = new World().find('tcp/clone');
  for (const node of [DIAL, clone, fileNode(7, DIALED)]) {
    const { name, attributes } = validityOf(node);
    t.ok(name >= 1000 && attributes >= 1000, `${node}`);
  }
});

t.test('the name of a connection is asked for each time: it may be free by then', async (t) => {
  t.equal(validityOf(directoryNode(7)).name, 0);
});

t.test(
  'names inside a connection hold, owner and permissions only for the call that asks',
  async (t) => {
    for (const node of [fileNode(7, SOCKOPTS), fileNode(7, 17), directoryNode(7), ROOT, TCP, UDP]) {
      t.ok(validityOf(node).attributes <= 1, `${node}`);
    }
    t.ok(validityOf(fileNode(7, 17)).name >= 1000);
  },
);

t.test('how long a growing file is, is asked for each time', async (t) => {
  const world = new World();
  for (const path of ['log', 'events']) {
    t.equal(validityOf(world.find(path).node).attributes, 0, path);
  }
});
