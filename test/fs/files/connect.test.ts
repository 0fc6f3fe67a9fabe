import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { errnoNumber } from '../../../tcp/errno.ts';
import { errnoOf, O_WRONLY, THERE, World } from '../world.ts';

const encoder = new TextEncoder();
const POLLOUT = 0x4;
const POLLERR = 0x8;
const POLLHUP = 0x10;

t.test('the write ends when the connection is there', async (t) => {
  const world = new World();
  const listener = world.listenThere(9000);
  world.mkdir('chat');
  t.equal(world.read('tcp/chat/connect'), 'not connected\n');
  const handle = world.open('tcp/chat/connect', O_WRONLY);
  const source = encoder.encode(`${THERE}:9000\n`);
  const call = world.call();
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED);
  t.equal(call.note, 1);
  t.equal(world.read('tcp/chat/connect'), 'connecting\n');
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED, 'it is not dialed twice');
  world.settle();
  t.equal(world.tree.write(handle, 0, source, call), source.length);
  t.equal(world.read('tcp/chat/connect'), 'connected\n');
  t.ok(world.there.accept(listener));
  t.equal(world.there.accept(listener), undefined);
  t.equal(
    errnoOf(() => world.writeHandle(handle, `${THERE}:9000`)),
    'EISCONN',
  );
});

t.test('every way to write an address, and every way to end it', async (t) => {
  const world = new World();
  world.listenThere(9000);
  let n = 0;
  for (const address of [`${THERE}:9000`, `${THERE}!9000`, `tcp!${THERE}!9000`]) {
    for (const end of ['', '\n', '\r\n']) {
      const name = `c${n++}`;
      world.mkdir(name);
      world.write(`tcp/${name}/connect`, address + end);
      t.equal(world.read(`tcp/${name}/remote`), `${THERE}:9000\n`);
    }
  }
  world.mkdir('chat');
  for (const bad of ['', '\n', 'x', '10.7.0.1', '10.7.0.1:x', '10.7.0.1:70000', '\xff:1', ' ']) {
    t.equal(
      errnoOf(() => world.write('tcp/chat/connect', bad)),
      'EINVAL',
      JSON.stringify(bad),
    );
  }
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', new Uint8Array([0xff]))),
    'EINVAL',
  );
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', 'x'.repeat(70_000))),
    'EMSGSIZE',
  );
});

t.test('nobody listens; and once more', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', `${THERE}:9000`)),
    'ECONNREFUSED',
  );
  t.equal(world.read('tcp/chat/connect'), 'ECONNREFUSED Connection refused\n');
  t.equal(world.read('tcp/chat/error'), 'ECONNREFUSED Connection refused\n');
  t.equal(world.read('tcp/chat/state'), 'CLOSED\n');
  world.listenThere(9000);
  world.write('tcp/chat/connect', `${THERE}:9000`);
  t.equal(world.read('tcp/chat/connect'), 'connected\n');
  t.equal(world.read('tcp/chat/error'), '\n');
});

t.test('nobody answers', async (t) => {
  const world = new World();
  world.isCut = true;
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', `${THERE}:9000`)),
    'ETIMEDOUT',
  );
});

t.test('O_NONBLOCK: the attempt goes on, and poll says when it is decided', async (t) => {
  for (const isListening of [true, false]) {
    const world = new World();
    if (isListening) world.listenThere(9000);
    world.mkdir('chat');
    const handle = world.open('tcp/chat/connect', O_WRONLY);
    const write = () => world.writeHandle(handle, `${THERE}:9000`, { nonblocking: true });
    world.isCut = true;
    t.equal(errnoOf(write), 'EINPROGRESS');
    t.equal(world.tree.poll(handle) & (POLLOUT | POLLERR | POLLHUP), 0);
    t.equal(errnoOf(write), 'EALREADY');
    world.isCut = false;
    world.pass(10_000);
    const decided = isListening ? POLLOUT : POLLOUT | POLLERR | POLLHUP;
    t.equal(world.tree.poll(handle) & (POLLOUT | POLLERR | POLLHUP), decided);
    const state = isListening ? 'connected\n' : 'ECONNREFUSED Connection refused\n';
    t.equal(world.read('tcp/chat/connect'), state);
  }
});

t.test('the next engine goes on waiting', async (t) => {
  const world = new World();
  world.listenThere(9000);
  world.mkdir('chat');
  const handle = world.open('tcp/chat/connect', O_WRONLY);
  const source = encoder.encode(`${THERE}:9000`);
  const call = world.call();
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED);
  world.restart();
  t.equal(world.tree.write(handle, 0, source, world.call({ note: call.note })), BLOCKED);
  world.settle();
  t.equal(world.tree.write(handle, 0, source, world.call({ note: call.note })), source.length);
});

t.test('somebody hangs up meanwhile', async (t) => {
  const world = new World();
  world.isCut = true;
  world.mkdir('chat');
  const handle = world.open('tcp/chat/connect', O_WRONLY);
  const source = encoder.encode(`${THERE}:9000`);
  const call = world.call();
  t.equal(world.tree.write(handle, 0, source, call), BLOCKED);
  world.rmdir('chat');
  t.equal(
    errnoOf(() => world.tree.write(handle, 0, source, call)),
    'ESTALE',
  );
});

t.test('what it says when the connection is over', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.there.abort(peer, world.now);
  world.settle();
  t.equal(world.read('tcp/chat/connect'), 'ECONNRESET Connection reset by peer\n');
  t.equal(errnoNumber('ECONNRESET'), 104);
});
