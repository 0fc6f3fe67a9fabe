import t from 'tap';
import { errnoOf, O_RDONLY, O_RDWR, THERE, World } from '../world.ts';

t.test('the last close closes the connection, and what was written is delivered', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  const ctl = world.open('tcp/clone', O_RDWR);
  world.writeHandle(ctl, `autoclose on\nconnect ${THERE}:9000`);
  const peer = world.there.accept(listener)!;
  const data = world.open('tcp/1/data', O_RDWR);
  world.writeHandle(data, 'last words');
  world.tree.release(ctl, world.now);
  world.settle();
  t.equal(peer.state, 'ESTABLISHED', 'data is open');
  world.restart();
  t.match(world.read('tcp/1/status'), /^autoclose on$/m);
  t.equal(peer.state, 'ESTABLISHED', 'the next engine knows of the open file, too');
  world.tree.release(data, world.now);
  world.settle();
  t.equal(peer.state, 'CLOSE-WAIT');
  t.equal(world.receiveThere(peer), 'last words');
});

t.test('off, which it is at first, the connection stays', async (t) => {
  const world = new World();
  const ctl = world.open('tcp/clone', O_RDWR);
  world.writeHandle(ctl, 'autoclose on');
  world.writeHandle(ctl, 'autoclose off');
  world.tree.release(ctl, world.now);
  world.settle();
  t.same(world.names(), ['1']);
  for (const word of ['', 'yes', '1']) {
    t.equal(
      errnoOf(() => world.write('tcp/1/ctl', `autoclose ${word}`)),
      'EINVAL',
    );
  }
  world.write('tcp/1/ctl', 'autoclose on');
  world.settle();
  t.same(world.names(), [], 'the file that says so may be the last');
});

t.test('with a mount, all that is open is closed', async (t) => {
  const world = new World();
  const ctl = world.open('tcp/clone', O_RDWR);
  world.writeHandle(ctl, 'autoclose on');
  const other = world.open('tcp/clone', O_RDWR);
  t.equal(world.readHandle(other), '2\n');
  world.restart();
  world.tree.freshMount(world.now);
  world.settle();
  t.same(world.names(), ['2']);
});

t.test('looking at it counts as well', async (t) => {
  const world = new World();
  const ctl = world.open('tcp/clone', O_RDWR);
  world.writeHandle(ctl, 'autoclose on');
  const state = world.open('tcp/1/state', O_RDONLY);
  world.tree.release(ctl, world.now);
  world.settle();
  t.same(world.names(), ['1']);
  world.tree.release(state, world.now);
  world.tree.release(state, world.now);
  world.settle();
  t.same(world.names(), []);
});
