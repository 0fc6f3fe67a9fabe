import t from 'tap';
import { connectionOf, directoryNode, fileNode, kindOf, ROOT, TCP } from '../../fs/node-id.ts';

t.test('a node number says its connection and kind', async (t) => {
  for (const id of [1, 2, 255, 256, 2 ** 32, 2 ** 45 - 1]) {
    t.equal(connectionOf(directoryNode(id)), id);
    t.equal(kindOf(directoryNode(id)), 0);
    for (const kind of [1, 16, 255]) {
      const node = fileNode(id, kind);
      t.ok(Number.isSafeInteger(node));
      t.equal(connectionOf(node), id);
      t.equal(kindOf(node), kind);
    }
  }
});

t.test(
  'the fixed nodes belong to no connection, and the root has the number the kernel knows',
  async (t) => {
    // FUSE_ROOT_ID in linux/fuse.h.
    t.equal(ROOT, 1);
    t.equal(connectionOf(ROOT), 0);
    t.equal(connectionOf(TCP), 0);
  },
);
