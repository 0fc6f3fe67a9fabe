import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import { errnoOf, HERE, O_RDONLY, O_RDWR, O_WRONLY, THERE, World } from '../world.ts';

// asm-generic/poll.h
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLERR = 0x8;
const POLLHUP = 0x10;
const ALL = POLLIN | POLLOUT | POLLERR | POLLHUP;

const ALICE = { uid: 1000, gid: 100 };
const BOB = { uid: 1001, gid: 100 };

const FILES = ['ctl', 'data', 'connect', 'bind', 'status', 'local', 'remote', 'error', 'peek'];
const OPTIONS = ['receive_buffer_bytes', 'send_buffer_bytes', 'ttl', 'tos', 'v6only', 'durability'];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A socket at the other end, at `port`. */
function socketThere(world: World, port: number): UdpPcb {
  const { udp } = world.there;
  const pcb = udp.create();
  udp.bind(pcb, { address: THERE, port });
  return pcb;
}

function sendThere(world: World, pcb: UdpPcb, text: string, port: number): void {
  world.there.udp.setDestination(pcb, { address: HERE, port });
  world.there.udp.send(pcb, encoder.encode(text), world.now);
  world.settle();
}

function receiveThere(world: World, pcb: UdpPcb): string | undefined {
  const target = new Uint8Array(2000);
  const datagram = world.there.udp.receive(pcb, target);
  return datagram && decoder.decode(target.subarray(0, datagram.length));
}

t.test('a directory like that of a connection', async (t) => {
  const world = new World();
  t.match(world.find('udp'), { mode: 0o041777, uid: 0, links: 2 });
  t.same(world.list('udp'), ['.', '..', 'clone', 'new_socket', 'connections', 'stats']);
  const made = world.mkdirUdp('dns', ALICE);
  t.match(made, { mode: 0o040770, uid: 1000, links: 3 });
  t.match(world.find('udp'), { links: 3 });
  t.same(world.find('udp/dns'), made);
  t.same(world.list('udp/dns'), ['.', '..', 'sockopts', ...FILES]);
  t.same(world.list('udp/dns/sockopts'), ['.', '..', ...OPTIONS]);
  const parents = ['udp/dns', 'udp/dns/sockopts'].map(
    (path) => [...world.tree.readdir(world.find(path).node, 1)][0]?.node,
  );
  t.same(parents, [world.find('udp').node, made.node]);
  t.match(world.find('udp/dns/data'), { mode: 0o100660, uid: 1000 });
  t.same(world.list('udp').at(-1), 'dns');
  t.equal(
    errnoOf(() => world.mkdirUdp('dns')),
    'EEXIST',
  );
  world.mkdir('dns');
  t.not(world.find('tcp/dns').node, made.node, 'the name is free in tcp/');
  t.equal(
    errnoOf(() => world.find('udp/dns/accept')),
    'ENOENT',
  );
  const { node } = world.find('udp');
  t.equal(
    errnoOf(() => world.tree.rmdir(node, 'dns', world.call(BOB))),
    'EPERM',
  );
  t.equal(
    errnoOf(() => world.tree.rmdir(node, 'clone', world.call())),
    'ENOTDIR',
  );
  world.tree.rmdir(node, 'dns', world.call(ALICE));
  t.equal(world.here.udp.pcbs.size, 0);
  t.equal(
    errnoOf(() => world.find('udp/dns')),
    'ENOENT',
  );
});

t.test('clone and new_socket', async (t) => {
  const world = new World();
  const ctl = world.open('udp/clone', O_RDWR, ALICE);
  const name = world.readHandle(ctl).trim();
  t.match(world.find(`udp/${name}`), { uid: 1000 });
  world.writeHandle(ctl, `bind :5353\nttl 3\n`);
  t.equal(world.read(`udp/${name}/local`), '[::]:5353\n');
  t.equal(world.read(`udp/${name}/sockopts/ttl`), '3\n');
  const path = world.readHandle(world.open('udp/new_socket', O_RDWR)).trim();
  t.match(path, /^udp\/[0-9]+$/);
  t.ok(world.find(path));
  world.writeHandle(ctl, 'close');
  t.equal(
    errnoOf(() => world.find(`udp/${name}`)),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.writeHandle(ctl, 'ttl 4')),
    'ESTALE',
  );
});

t.test('one read is one datagram, and one write', async (t) => {
  const world = new World();
  const peer = socketThere(world, 9000);
  world.mkdirUdp('chat');
  world.write('udp/chat/bind', `${HERE}!53`);
  const handle = world.open('udp/chat/data', O_RDWR);
  const target = new Uint8Array(100);
  const read = (size = 100) => {
    const given = world.tree.read(handle, 0, target.subarray(0, size), world.call());
    return given === BLOCKED ? given : decoder.decode(target.subarray(0, given));
  };
  t.equal(read(), BLOCKED);
  t.equal(world.tree.poll(handle) & ALL, POLLOUT);
  world.takeChanged();
  sendThere(world, peer, 'one', 53);
  t.equal(world.tree.poll(handle) & ALL, POLLIN | POLLOUT);
  t.ok(
    world.takeChanged().some(({ ID }) => ID === world.tree.connectionOf(handle)),
    'who waits is woken',
  );
  sendThere(world, peer, 'two and more', 53);
  sendThere(world, peer, 'three', 53);
  t.equal(world.read('udp/chat/peek'), 'one');
  t.equal(world.read('udp/chat/remote'), '\n');
  t.equal(read(), 'one');
  t.equal(world.read('udp/chat/remote'), `${THERE}:9000\n`);
  t.equal(read(3), 'two', 'what the reader has no room for is lost');
  t.equal(read(), 'three');
  t.equal(read(), BLOCKED);
  t.equal(world.writeHandle(handle, 'back to you'), 11);
  t.equal(receiveThere(world, peer), 'back to you');
});

t.test('where it goes', async (t) => {
  const world = new World();
  const [one, other] = [socketThere(world, 9001), socketThere(world, 9002)];
  world.mkdirUdp('chat');
  const write = () => world.write('udp/chat/data', 'hello');
  t.equal(errnoOf(write), 'EDESTADDRREQ');
  world.write('udp/chat/remote', `udp!${THERE}!9001\n`);
  t.equal(world.read('udp/chat/remote'), `${THERE}:9001\n`);
  write();
  t.equal(receiveThere(world, one), 'hello');
  const { port } = world.here.udp.pcbs.values().next().value!.local!;
  sendThere(world, other, 'me too', port);
  world.tree.read(world.open('udp/chat/data', O_RDONLY), 0, new Uint8Array(10), world.call());
  t.equal(world.read('udp/chat/remote'), `${THERE}:9002\n`, 'who has said something last');
  write();
  t.equal(receiveThere(world, one), 'hello', 'goes where it was told');
  world.write('udp/chat/remote', '\n');
  write();
  t.equal(receiveThere(world, other), 'hello');
  world.write('udp/chat/connect', `${THERE}:9001`);
  t.equal(world.read('udp/chat/connect'), 'connected\n');
  t.equal(world.read('udp/chat/remote'), `${THERE}:9001\n`);
  t.equal(world.read('udp/chat/local'), `${HERE}:${port}\n`);
  t.equal(
    errnoOf(() => world.write('udp/chat/remote', `${THERE}:9002`)),
    'EISCONN',
  );
  for (const text of ['', 'x', `tcp!${THERE}!9001`, `${THERE}:0`]) {
    t.equal(
      errnoOf(() => world.write('udp/chat/connect', text)),
      'EINVAL',
      text,
    );
  }
});

t.test('nobody there: the next call is told, and no other', async (t) => {
  const world = new World();
  world.mkdirUdp('chat');
  world.write('udp/chat/connect', `${THERE}:9`);
  const handle = world.open('udp/chat/data', O_RDWR);
  world.writeHandle(handle, 'anybody?');
  t.equal(world.tree.poll(handle) & ALL, POLLOUT | POLLERR);
  t.equal(world.read('udp/chat/error'), 'ECONNREFUSED Connection refused\n');
  const read = () => world.tree.read(handle, 0, new Uint8Array(10), world.call());
  t.equal(errnoOf(read), 'ECONNREFUSED');
  t.equal(read(), BLOCKED);
  t.equal(world.read('udp/chat/error'), '\n');
});

t.test('ports: below 1024 for root only, each only once', async (t) => {
  const world = new World();
  world.mkdirUdp('one', ALICE);
  world.mkdirUdp('other', ALICE);
  t.equal(
    errnoOf(() => world.write('udp/one/bind', ':53', ALICE)),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.write('udp/one/ctl', 'announce *!53', ALICE)),
    'EACCES',
  );
  world.write('udp/one/ctl', 'announce *!5353', ALICE);
  t.equal(
    errnoOf(() => world.write('udp/other/bind', ':5353', ALICE)),
    'EADDRINUSE',
  );
  world.mkdir('same');
  world.write('tcp/same/bind', ':5353');
  t.pass('TCP has ports of its own');
});

t.test('headers, as Plan 9 has them', async (t) => {
  const world = new World();
  const peer = socketThere(world, 9000);
  world.mkdirUdp('chat');
  world.write('udp/chat/ctl', 'bind :53\nheaders');
  sendThere(world, peer, 'question', 53);
  const handle = world.open('udp/chat/data', O_RDWR);
  const target = new Uint8Array(100);
  t.equal(world.tree.read(handle, 0, target, world.call()), 60);
  const mapped = (last: number) =>
    `00000000000000000000ffff0a0700${last.toString(16).padStart(2, '0')}`;
  const head = `${mapped(1)}${mapped(2)}${mapped(2)}23280035`;
  t.equal(Buffer.from(target.subarray(0, 52)).toString('hex'), head);
  t.equal(decoder.decode(target.subarray(52, 60)), 'question');
  target.set(encoder.encode('answer'), 52);
  t.equal(world.writeHandle(handle, target.subarray(0, 58)), 58);
  t.equal(receiveThere(world, peer), 'answer');
  t.equal(
    errnoOf(() => world.writeHandle(handle, target.subarray(0, 51))),
    'EINVAL',
  );
  target[31] = 9;
  t.equal(
    errnoOf(() => world.writeHandle(handle, target.subarray(0, 58))),
    'EADDRNOTAVAIL',
  );
  world.write('udp/chat/ctl', 'headers off');
  sendThere(world, peer, 'question', 53);
  t.equal(world.tree.read(handle, 0, target, world.call()), 8);
});

t.test('the tables', async (t) => {
  const world = new World();
  const peer = socketThere(world, 9000);
  world.mkdirUdp('chat', ALICE);
  world.mkdirUdp('idle');
  world.write('udp/chat/ctl', 'bind :53\nreceive_buffer_bytes 2048');
  for (let i = 0; i < 3; i++) sendThere(world, peer, 'x'.repeat(900), 53);
  const table = 'chat [::]:53 - 2 1 1000:100\nidle - - 0 0 0:0\n';
  t.equal(world.read('udp/connections'), table);
  t.match(world.read('udp/stats'), /^UdpInDatagrams: 2$/m);
  t.match(world.read('udp/stats'), /^UdpRcvbufErrors: 1$/m);
  t.notMatch(world.read('tcp/stats'), /^Udp/m);
  t.equal(world.read('tcp/connections'), '');
  const status = world.read('udp/chat/status');
  t.match(status, /^readable_datagrams 2$/m);
  t.match(status, /^dropped_datagrams 1$/m);
});

t.test('another engine serves the same', async (t) => {
  const world = new World();
  world.mkdirUdp('chat', ALICE);
  world.mkdir('chat');
  const handle = world.open('udp/chat/data', O_RDWR);
  const before = world.find('udp/chat');
  world.restart();
  t.same(world.find('udp/chat'), before);
  t.match(world.find('tcp/chat'), { uid: 0 });
  t.equal(world.tree.read(handle, 0, new Uint8Array(9), world.call()), BLOCKED);
});

t.test('autoclose', async (t) => {
  const world = new World();
  world.mkdirUdp('chat');
  world.write('udp/chat/ctl', 'autoclose on');
  t.equal(world.here.udp.pcbs.size, 0, 'the last close closes it');
  world.mkdirUdp('chat');
  const handle = world.open('udp/chat/data', O_WRONLY);
  world.write('udp/chat/ctl', 'autoclose on');
  t.equal(world.here.udp.pcbs.size, 1);
  world.tree.release(handle, world.now);
  t.equal(world.here.udp.pcbs.size, 0);
});
