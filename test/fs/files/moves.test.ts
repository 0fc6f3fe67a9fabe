import t from 'tap';
import { BLOCKED } from '../../../fs/attempt.ts';
import { POLLERR, POLLHUP, READABLE } from '../../../fs/poll.ts';
import { errnoOf, O_RDONLY, O_RDWR, O_WRONLY, type Options, World } from '../world.ts';

/** Reads a file of bytes to its end, in pieces of `size`. */
function bytesOf(world: World, path: string, size = 1000): Buffer {
  const handle = world.open(path, O_RDONLY);
  const pieces: Buffer[] = [];
  for (let offset = 0; ; offset += pieces.at(-1)!.length) {
    const piece = Buffer.alloc(size);
    const count = world.tree.read(handle, offset, piece, world.call());
    if (count === BLOCKED) throw new Error('a file of bytes blocks');
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
  }
  world.tree.release(handle, world.now);
  return Buffer.concat(pieces);
}

/** Writes a file in pieces of `size`. @returns the errno, and what can be read then */
function importInto(world: World, file: Uint8Array, size = 777, uid = 0) {
  const handle = world.open('import', O_RDWR);
  let errno: string | undefined;
  for (let at = 0; at < file.length && errno === undefined; at += size)
    errno = errnoOf(() =>
      world.tree.write(handle, 0, file.subarray(at, at + size), world.call({ uid })),
    );
  const answer = world.readHandle(handle);
  world.tree.release(handle, world.now);
  world.settle();
  return { errno, answer };
}

/** Another host, to whose wire the peer is not connected. */
function elsewhere(options: Options = {}): World {
  const world = new World(options);
  world.isCut = true;
  return world;
}

/** A connection that has moved out, with unread text and its own options. */
function exported() {
  const world = new World();
  const peer = world.establish('chat');
  world.sendThere(peer, 'nobody has read this yet');
  world.tree.setattr(world.find('tcp/chat').node, { uid: 7, gid: 8, mode: 0o640 }, world.call());
  world.write('tcp/chat/sockopts/nodelay', 'on');
  world.isCut = true;
  world.write('tcp/chat/data', 'nobody has got this yet');
  return { world, peer, file: exportOf(world) };
}

function exportOf(world: World): Buffer {
  world.write('tcp/chat/ctl', 'export');
  return bytesOf(world, 'tcp/chat/export');
}

t.test('export: its programs get an error, again and again', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  t.equal(
    errnoOf(() => bytesOf(world, 'tcp/chat/export')),
    'ENODATA',
    'it has not moved',
  );
  const reader = world.open('tcp/chat/data', O_RDONLY);
  const read = () => world.tree.read(reader, 0, Buffer.alloc(10), world.call());
  t.equal(read(), BLOCKED);
  world.write('tcp/chat/ctl', 'export');
  t.ok(
    world
      .takeChanged()
      .some(({ ID }) => String(ID) === world.read('tcp/chat/status').match(/^id +(\d+)$/m)?.[1]),
    'who waits is woken',
  );
  t.equal(world.read('tcp/chat/state'), 'MOVED\n');
  t.match(world.read('tcp/chat/error'), /^ECONNABORTED/);
  for (const _ of [1, 2]) {
    t.equal(errnoOf(read), 'ECONNABORTED');
    t.equal(
      errnoOf(() => world.write('tcp/chat/data', 'more')),
      'ECONNABORTED',
    );
  }
  t.equal(
    errnoOf(() => world.read('tcp/chat/peek')),
    'ECONNABORTED',
  );
  t.equal(world.tree.poll(reader) & (POLLERR | POLLHUP | READABLE), POLLERR | POLLHUP | READABLE);
  t.equal(
    errnoOf(() => world.write('tcp/chat/sockopts/nodelay', 'on')),
    'ENOTCONN',
  );
  world.sendThere(peer, 'anybody there?');
  t.ok(peer.SND_UNA !== peer.SND_NXT, 'nothing is answered');
});

t.test(
  'the end of what the peer sends is not that of a connection that moved before it',
  async (t) => {
    const world = new World();
    const peer = world.establish('chat');
    world.sendThere(peer, 'text');
    world.there.shutdown(peer, world.now);
    world.settle();
    world.write('tcp/chat/ctl', 'export');
    t.equal(
      errnoOf(() => world.read('tcp/chat/data')),
      'ECONNABORTED',
    );
    t.equal(
      errnoOf(() => world.read('tcp/chat/peek')),
      'ECONNABORTED',
    );
  },
);

t.test('the file is the same at every look', async (t) => {
  const { world, file } = exported();
  t.same(bytesOf(world, 'tcp/chat/export', 13), file);
  world.write('tcp/chat/ctl', 'export');
  errnoOf(() => world.read('tcp/chat/data'));
  world.restart();
  t.same(bytesOf(world, 'tcp/chat/export'), file, 'also for the next engine');
});

t.test('autoclose does not take it away, and rmdir does', async (t) => {
  const world = new World();
  world.establish('chat');
  const data = world.open('tcp/chat/data', O_RDWR);
  world.write('tcp/chat/ctl', 'autoclose on');
  world.write('tcp/chat/ctl', 'export');
  world.tree.release(data, world.now);
  world.settle();
  t.same(world.names(), ['chat']);
  world.tree.freshMount(world.now);
  t.same(world.names(), ['chat']);
  world.rmdir('chat');
  t.same(world.names(), []);
  t.same(
    [...world.here.pcbs.values()].map(({ state }) => state),
    ['MOVED'],
    'it is silent all the same',
  );
});

t.test('import: it is as it was', async (t) => {
  const { world, file } = exported();
  const other = elsewhere();
  t.same(importInto(other, file), { errno: undefined, answer: 'chat\n' });
  t.equal(other.read('tcp/chat/state'), 'ESTABLISHED\n');
  t.equal(other.read('tcp/chat/error'), '\n');
  t.equal(other.read('tcp/chat/sockopts/nodelay'), 'on\n');
  t.match(other.find('tcp/chat/data'), { uid: 7, gid: 8, mode: 0o100640 });
  const unread = Buffer.alloc(24);
  other.tree.read(other.open('tcp/chat/data', O_RDONLY), 0, unread, other.call());
  t.equal(unread.toString(), 'nobody has read this yet');
  t.match(other.read('tcp/chat/status'), /^MOVES +1$/m);
  t.match(importInto(other, file), { errno: 'EEXIST' }, 'not twice');
  t.same(other.names(), ['chat']);
  t.same(
    importInto(world, file),
    { errno: undefined, answer: 'chat\n' },
    'nor, but here, taken back',
  );
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n');
  world.restart();
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n', 'the next engine has its name');
});

t.test('import: what is refused leaves everything as it was', async (t) => {
  const { file } = exported();
  const other = elsewhere();
  const refused = (bytes: Uint8Array, size?: number, uid?: number) => {
    const { errno, answer } = importInto(other, bytes, size, uid);
    t.same(
      other.names().filter((name) => name !== 'other'),
      [],
    );
    t.equal(other.here.pcbs.size, other.names().length);
    return `${errno}: ${answer}`;
  };
  t.match(refused(file, undefined, 7), /^EPERM/);
  t.match(refused(Buffer.from('hello')), /^EINVAL: EINVAL this is no file/);
  t.match(refused(file.subarray(500)), /^EINVAL: EINVAL this is no file/, 'the rest of one');
  t.match(refused(Buffer.concat([file, file])), /^EINVAL: EINVAL there is too much/);
  t.match(refused(file.subarray(0, -1)), /^undefined: $/, 'it waits for the last byte');
  const changed = Buffer.from(file);
  changed[700]! ^= 1;
  t.match(refused(changed), /^EINVAL: EINVAL .*checksum/);
  t.match(refused(changed, 1), /^EINVAL: EINVAL .*checksum/, 'a byte at a time');
  other.mkdir('other');
  t.equal(other.names().length, 1);
  other.mkdir('chat');
  const { errno, answer } = importInto(other, file);
  t.match(`${errno} ${answer}`, /^EEXIST EEXIST .*name chat/);
  other.rmdir('chat');
  t.match(importInto(other, file), { errno: undefined }, 'and then it works');
});

t.test('a connection without a name gets its new number for one', async (t) => {
  const world = new World();
  const handle = world.open('tcp/clone', O_RDWR);
  const name = world.readHandle(handle).trim();
  world.listenThere(9000);
  world.write(`tcp/${name}/connect`, '10.7.0.1:9000');
  world.write(`tcp/${name}/ctl`, 'export');
  const file = bytesOf(world, `tcp/${name}/export`);
  const other = elsewhere();
  for (let n = 0; n < 5; n++) other.mkdir(`c${n}`);
  t.same(importInto(other, file), { errno: undefined, answer: '6\n' });
  t.ok(other.names().includes('6'));
});

t.test('more connections than a user may have', async (t) => {
  const { file } = exported();
  const other = elsewhere({ limits: { connections: 0, bufferBytes: Infinity } });
  t.match(importInto(other, file), { errno: 'ENFILE' });
  t.equal(other.here.pcbs.size, 0);
});

t.test('what cannot be exported', async (t) => {
  const world = new World();
  world.mkdir('new');
  const tried = (name: string) => errnoOf(() => world.write(`tcp/${name}/ctl`, 'export'));
  t.equal(tried('new'), 'ENOTCONN');
  world.write('tcp/new/ctl', 'announce :80');
  t.equal(tried('new'), 'EOPNOTSUPP');
  t.equal(
    errnoOf(() => world.write('tcp/new/ctl', 'export now')),
    'EINVAL',
  );
  t.equal(
    errnoOf(() => world.open('tcp/new/export', O_WRONLY)),
    'EACCES',
  );
});
