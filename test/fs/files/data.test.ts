import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { seeded } from '../../seeded.ts';
import { errnoOf, O_RDONLY, O_RDWR, O_WRONLY, World } from '../world.ts';

// asm-generic/poll.h
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLERR = 0x8;
const POLLHUP = 0x10;
const ALL = POLLIN | POLLOUT | POLLERR | POLLHUP;

t.test('bytes come as they are, and no more than are there', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  const target = new Uint8Array(8);
  const read = (at = 0) => world.tree.read(handle, at, target, world.call());
  t.equal(read(), BLOCKED);
  world.sendThere(peer, 'hello, world');
  t.equal(read(), 8);
  t.same(new TextDecoder().decode(target), 'hello, w');
  t.equal(read(5000), 4, 'an offset means nothing');
  t.same(new TextDecoder().decode(target.subarray(0, 4)), 'orld');
  t.equal(read(), BLOCKED);
  t.equal(world.writeHandle(handle, 'good day'), 8);
  t.equal(world.receiveThere(peer), 'good day');
});

t.test('at the end when the peer has closed and everything is read', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.sendThere(peer, 'last words');
  world.there.shutdown(peer, world.now);
  world.settle();
  t.equal(world.read('tcp/chat/data'), 'last words');
  t.equal(world.read('tcp/chat/data'), '', 'and stays there');
  t.equal(world.write('tcp/chat/data', 'not yet'), 7, 'the other direction goes on');
  t.equal(world.receiveThere(peer), 'not yet');
});

t.test(
  'a write of up to 64 KiB is taken whole, a larger one as far as there is room',
  async (t) => {
    const world = new World({ sendBuffer: 200_000, receiveBuffer: 400_000 });
    const peer = world.establish('chat');
    const handle = world.open('tcp/chat/data', O_WRONLY);
    const write = (size: number) =>
      world.tree.write(handle, 0, new Uint8Array(size).fill(120), world.call());
    world.isCut = true;
    t.equal(write(65_536), 65_536);
    t.equal(write(60_000), 60_000);
    t.equal(world.tree.poll(handle) & ALL, POLLOUT);
    t.equal(write(10_000), 10_000);
    t.equal(world.tree.poll(handle) & ALL, 0, 'there is no room for any write');
    t.equal(write(65_536), BLOCKED, 'there is room for 64,464 bytes');
    t.equal(write(100_000), BLOCKED);
    t.equal(write(64_464), 64_464);
    t.equal(write(1), BLOCKED);
    t.equal(write(0), 0);
    world.isCut = false;
    world.pass(5000);
    t.equal(world.tree.poll(handle) & ALL, POLLOUT);
    t.equal(world.receiveThere(peer).length, 200_000, 'nothing was taken twice');
    world.isCut = true;
    t.equal(write(250_000), 200_000);
  },
);

t.test('a write larger than the send buffer is taken in parts', async (t) => {
  const world = new World({ sendBuffer: 1000, receiveBuffer: 1000 });
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_WRONLY);
  const write = (size: number) =>
    world.tree.write(handle, 0, new Uint8Array(size).fill(120), world.call());
  world.isCut = true;
  t.equal(world.tree.poll(handle) & ALL, POLLOUT);
  t.equal(write(1200), 1000);
  t.equal(write(1200), BLOCKED);
  t.equal(world.tree.poll(handle) & ALL, 0);
  world.isCut = false;
  world.pass(5000);
  t.equal(world.tree.poll(handle) & ALL, POLLOUT);
  t.equal(world.receiveThere(peer).length, 1000);
});

t.test('what poll has said is told from what is new', async (t) => {
  const world = new World({ sendBuffer: 1000, receiveBuffer: 1000 });
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  const news = () => world.tree.news(handle)!;
  const { arrivals, refusals } = news();
  world.sendThere(peer, 'abc');
  t.not(news().arrivals, arrivals);
  const arrived = news();
  t.equal(world.tree.read(handle, 0, new Uint8Array(1), world.call()), 1);
  t.same(news(), arrived, 'a part has been read');
  world.isCut = true;
  world.tree.write(handle, 0, new Uint8Array(1200), world.call());
  t.not(news().refusals, refusals, 'not all that was written');
  t.equal(news().arrivals, arrived.arrivals);
});

t.test('never connected', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  const both = () => [
    errnoOf(() => world.readHandle(handle)),
    errnoOf(() => world.writeHandle(handle, 'x')),
  ];
  t.same(both(), ['ENOTCONN', 'ENOTCONN']);
  world.write('tcp/chat/listen', ':80');
  t.same(both(), ['ENOTCONN', 'ENOTCONN']);
});

t.test('while connecting, both block', async (t) => {
  const world = new World();
  world.isCut = true;
  world.mkdir('chat');
  const nonblocking = { nonblocking: true };
  t.equal(
    errnoOf(() => world.write('tcp/chat/connect', '10.7.0.1:9000', nonblocking)),
    'EINPROGRESS',
  );
  const handle = world.open('tcp/chat/data', O_RDWR);
  const bytes = new Uint8Array(1);
  t.equal(world.tree.read(handle, 0, bytes, world.call()), BLOCKED);
  t.equal(world.tree.write(handle, 0, bytes, world.call()), BLOCKED);
  t.equal(world.tree.poll(handle) & ALL, 0);
  world.isCut = false;
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'ECONNREFUSED',
    'as told by a socket',
  );
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'ENOTCONN',
  );
});

t.test('an error is told once, behind the bytes that had come', async (t) => {
  for (const first of ['read', 'write'] as const) {
    const world = new World();
    const peer = world.establish('chat');
    const handle = world.open('tcp/chat/data', O_RDWR);
    world.sendThere(peer, 'abc');
    world.there.abort(peer, world.now);
    world.settle();
    const target = new Uint8Array(8);
    const read = () => world.tree.read(handle, 0, target, world.call());
    const write = () => world.tree.write(handle, 0, target, world.call());
    t.equal(world.tree.poll(handle) & ALL, ALL);
    t.equal(read(), 3);
    t.equal(errnoOf(first === 'read' ? read : write), 'ECONNRESET');
    world.restart();
    t.equal(world.tree.poll(handle) & ALL, POLLIN | POLLOUT | POLLHUP, 'the error has been told');
    t.equal(read(), 0);
    t.equal(errnoOf(write), 'EPIPE');
    t.equal(
      world.read('tcp/chat/error'),
      'ECONNRESET Connection reset by peer\n',
      'there it stays',
    );
    t.same(world.names(), ['chat']);
  }
});

t.test('a new attempt to connect has an error of its own to tell', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const address = '10.7.0.1:9000';
  for (let round = 0; round < 2; round++) {
    t.equal(
      errnoOf(() => world.write('tcp/chat/connect', address)),
      'ECONNREFUSED',
    );
    t.equal(
      errnoOf(() => world.read('tcp/chat/data')),
      'ENOTCONN',
      'the writer of the address has been told',
    );
    t.equal(
      errnoOf(() => world.write('tcp/chat/connect', address, { nonblocking: true })),
      'EINPROGRESS',
    );
    world.settle();
    t.equal(
      errnoOf(() => world.write('tcp/chat/data', 'x')),
      'ECONNREFUSED',
    );
    t.equal(
      errnoOf(() => world.write('tcp/chat/data', 'x')),
      'ENOTCONN',
    );
  }
});

t.test('closed here: reads end, writes fail', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  world.write('tcp/chat/ctl', 'close');
  t.equal(world.readHandle(handle), '');
  t.equal(
    errnoOf(() => world.writeHandle(handle, 'x')),
    'EPIPE',
  );
  t.equal(peer.atEnd, true);
});

t.test('whoever waits is told that somebody closed it', async (t) => {
  const world = new World();
  world.establish('chat');
  world.write('tcp/chat/ctl', 'shutdown wr');
  t.equal(world.read('tcp/chat/state'), 'FIN-WAIT-2\n');
  const handle = world.open('tcp/chat/data', O_RDONLY);
  t.equal(world.tree.read(handle, 0, new Uint8Array(1), world.call()), BLOCKED);
  world.takeChanged();
  world.write('tcp/chat/ctl', 'close');
  t.same(
    world.takeChanged().map((pcb) => pcb.ID),
    [world.tree.connectionOf(handle)],
  );
  t.equal(world.tree.read(handle, 0, new Uint8Array(1), world.call()), 0);
});

t.test('when both sides are done', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.there.close(peer, world.now);
  world.settle();
  const handle = world.open('tcp/chat/data', O_RDWR);
  t.equal(world.tree.poll(handle) & ALL, POLLIN | POLLOUT);
  world.write('tcp/chat/ctl', 'shutdown wr');
  t.equal(world.read('tcp/chat/state'), 'CLOSED\n', 'it stays, for nobody has closed it');
  t.equal(world.tree.poll(handle) & ALL, POLLIN | POLLOUT | POLLHUP);
  t.equal(world.readHandle(handle), '');
  t.equal(
    errnoOf(() => world.writeHandle(handle, 'x')),
    'EPIPE',
  );
});

t.test('poll', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDONLY);
  t.equal(world.tree.connectionOf(handle), 1);
  t.equal(world.tree.poll(handle) & ALL, POLLOUT);
  world.sendThere(peer, 'x');
  t.equal(world.tree.poll(handle) & ALL, POLLIN | POLLOUT);
  t.equal(world.tree.poll(handle) & (0x40 | 0x100), 0x40 | 0x100, 'POLLRDNORM and POLLWRNORM');
  world.tree.read(handle, 0, new Uint8Array(1), world.call());
  t.equal(world.tree.poll(handle) & ALL, POLLOUT);
});

t.test('any bytes both ways, in any pieces, with engines coming and going', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const world = new World({ sendBuffer: 5000, receiveBuffer: 5000 });
  const peer = world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDWR);
  const out = new Uint8Array(200_000).map(() => random(256));
  const back: number[] = [];
  let sent = 0;
  let echoed = new Uint8Array(0);
  for (let step = 0; back.length < out.length; step++) {
    if (step > 100_000) t.bailout('no progress');
    const call = world.call();
    const written = world.tree.write(handle, 0, out.subarray(sent, sent + random(4000)), call);
    if (written !== BLOCKED) sent += written;
    world.settle();
    const target = new Uint8Array(random(3000));
    const got = world.there.receive(peer, target, world.now);
    echoed = new Uint8Array(Buffer.concat([echoed, target.subarray(0, got)]));
    echoed = echoed.slice(world.there.send(peer, echoed, world.now));
    const input = new Uint8Array(1 + random(3000));
    const read = world.tree.read(handle, 0, input, world.call());
    if (read !== BLOCKED) back.push(...input.subarray(0, read));
    if (random(50) === 0) world.restart();
    world.pass(random(50));
  }
  t.equal(Buffer.compare(new Uint8Array(back), out), 0);
});
