import t from 'tap';
import { errnoOf, O_RDONLY, THERE, World } from '../world.ts';

// asm-generic/poll.h
const POLLIN = 0x1;
const POLLPRI = 0x2;
const POLLHUP = 0x10;
const BITS = POLLIN | POLLPRI | POLLHUP;

t.test('who has read the state can wait for the next one', async (t) => {
  const world = new World();
  world.listenThere(9000);
  world.mkdir('chat');
  const handle = world.open('tcp/chat/state', O_RDONLY);
  const poll = () => world.tree.poll(handle) & BITS;
  t.equal(poll(), POLLIN, 'nothing has been read');
  t.equal(world.readHandle(handle), 'CLOSED\n');
  t.equal(poll(), 0);
  t.equal(world.tree.connectionOf(handle), 1);
  world.write('tcp/chat/connect', `${THERE}:9000`);
  t.equal(poll(), POLLIN | POLLPRI);
  const rest = new Uint8Array(16);
  t.equal(world.tree.read(handle, 2, rest, world.call()), 5, 'the rest of what it has said');
  t.equal(poll(), POLLIN | POLLPRI);
  t.equal(world.readHandle(handle), 'ESTABLISHED\n', 'from the beginning, what it says now');
  t.equal(poll(), 0);
  world.restart();
  t.equal(poll(), 0, 'the next engine knows what has been read');
  world.rmdir('chat');
  t.equal(poll(), POLLIN | POLLHUP, 'it is gone');
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'ESTALE',
  );
});
