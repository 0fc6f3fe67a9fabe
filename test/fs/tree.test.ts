import t from 'tap';
import { BLOCKED } from '../../fs/attempt.ts';
import { directoryNode, fileNode, ROOT, TCP } from '../../fs/node-id.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { seeded } from '../seeded.ts';
import { errnoOf, O_RDONLY, O_RDWR, O_WRONLY, THERE, World } from './world.ts';

const ALICE = { uid: 1000, gid: 100 };
const BOB = { uid: 1001, gid: 100 };

const FILES = [
  'ctl',
  'data',
  'connect',
  'bind',
  'listen',
  'accept',
  'state',
  'status',
  'local',
  'remote',
  'error',
  'peek',
  'accept_socket',
  'shutdown',
  'export',
  'accept_data',
];

const TCP_FILES = ['clone', 'new_socket', 'connections', 'listeners', 'stats'];

/** They cannot be opened to be read, this one not unless it listens. */
const UNREADABLE = ['shutdown', 'accept_data'];
/** Reading them waits, or fails. */
const LIVE = ['data', 'peek', 'accept', 'accept_socket', 'export'];

t.test('the fixed part', async (t) => {
  const world = new World();
  t.same(world.list(''), [
    '.',
    '..',
    'tcp',
    'udp',
    'iface',
    'persist',
    'dial',
    'status',
    'README',
    'events',
    'log',
    'resolve',
    'import',
  ]);
  t.same(world.list('tcp'), ['.', '..', ...TCP_FILES]);
  t.match(world.find(''), { node: ROOT, mode: 0o040555, uid: 0, gid: 0 });
  t.match(world.find('tcp'), { node: TCP, mode: 0o041777, uid: 0, gid: 0, links: 2 });
  t.match(world.find('status'), { mode: 0o100444, size: 4096, links: 1 });
  t.match(world.find('tcp/clone'), { mode: 0o100666, size: 4096, links: 1 });
  t.equal(world.read('status'), 'epoch 3\nversion 0.1.0\n');
});

t.test('looking and listing makes nothing', async (t) => {
  const world = new World();
  world.find('tcp/clone');
  world.list('tcp');
  t.equal(
    errnoOf(() => world.find('tcp/1')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.find('tcp/chat')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.find('nothing')),
    'ENOENT',
  );
  t.equal(world.here.pcbs.size, 0);
});

t.test('a directory for each connection, with a file for each thing to do', async (t) => {
  const world = new World();
  const made = world.mkdir('chat', ALICE);
  t.match(made, { mode: 0o040770, uid: 1000, gid: 100, links: 3, node: directoryNode(1) });
  t.same(world.find('tcp/chat'), made);
  t.same(world.names(), ['chat']);
  t.same(world.list('tcp/chat'), ['.', '..', 'sockopts', ...FILES]);
  t.match(world.find('tcp/chat/sockopts'), { mode: 0o040770, uid: 1000, gid: 100, links: 2 });
  t.equal(world.find('tcp').links, 3);
  for (const name of FILES) t.match(world.find(`tcp/chat/${name}`), { uid: 1000, gid: 100 });
  t.match(world.find('tcp/chat/data'), { mode: 0o100660, size: 16 * 1024 * 1024 });
  t.match(world.find('tcp/chat/ctl'), { mode: 0o100660, size: 4096 });
  t.match(world.find('tcp/chat/state'), { mode: 0o100440 });
  t.equal(
    errnoOf(() => world.find('tcp/chat/nothing')),
    'ENOENT',
  );
});

t.test('`..` leads up', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const up = (path: string) =>
    [...world.tree.readdir(world.find(path).node, 0)].find(({ name }) => name === '..')?.node;
  t.equal(up('tcp/chat'), TCP);
  t.equal(up('tcp'), ROOT);
  t.equal(up(''), ROOT);
});

t.test('mkdir', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.mkdir('chat')),
    'EEXIST',
  );
  t.equal(
    errnoOf(() => world.mkdir('clone')),
    'EEXIST',
  );
  t.equal(
    errnoOf(() => world.mkdir('17')),
    'EINVAL',
  );
  t.equal(
    errnoOf(() => world.mkdir('x'.repeat(256))),
    'ENAMETOOLONG',
  );
  t.equal(world.here.pcbs.size, 1, 'a mkdir that fails makes nothing');
  for (const parent of ['', 'tcp/chat']) {
    const { node } = world.find(parent);
    t.equal(
      errnoOf(() => world.tree.mkdir(node, 'x', 0o755, world.call())),
      'EPERM',
    );
    t.equal(
      errnoOf(() => world.tree.rmdir(node, 'x', world.call())),
      'EPERM',
    );
  }
  t.match(world.mkdir('mine', ALICE, 0o700), { mode: 0o040700 }, 'the group may be shut out');
});

t.test('rmdir closes, and the name is free at once', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  const { node } = world.find('tcp/chat');
  const handle = world.open('tcp/chat/data', O_RDONLY);
  world.isCut = true;
  world.rmdir('chat');
  t.equal(
    errnoOf(() => world.find('tcp/chat')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.tree.getattr(node, world.now)),
    'ESTALE',
  );
  t.equal(
    errnoOf(() => world.tree.lookup(node, 'data', world.now)),
    'ESTALE',
  );
  t.equal(
    errnoOf(() => [...world.tree.readdir(node, 0)]),
    'ESTALE',
  );
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'ESTALE',
  );
  t.equal(world.here.pcbs.size, 1, 'TCP still waits for the peer');
  t.not(world.mkdir('chat').node, node, 'a new connection has a new number');
  world.isCut = false;
  world.pass(10_000);
  t.equal(peer.state, 'CLOSE-WAIT');
  t.equal(peer.ERROR, 0);
  t.same(world.names(), ['chat']);

  t.equal(
    errnoOf(() => world.rmdir('nobody')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.rmdir('clone')),
    'ENOTDIR',
  );
  world.mkdir('hers', ALICE);
  t.equal(
    errnoOf(() => world.rmdir('hers', BOB)),
    'EPERM',
  );
  world.rmdir('hers', ALICE);
  t.equal(
    errnoOf(() => world.find('tcp/hers')),
    'ENOENT',
  );
});

t.test('chmod and chown change the whole connection', async (t) => {
  const world = new World();
  world.mkdir('chat', ALICE);
  const { tree } = world;
  const data = world.find('tcp/chat/data').node;
  const directory = world.find('tcp/chat').node;
  t.match(tree.setattr(directory, { mode: 0o750 }, world.call(ALICE)), { mode: 0o040750 });
  t.equal(world.find('tcp/chat/data').mode, 0o100640);
  t.equal(world.find('tcp/chat/state').mode, 0o100440);
  t.match(tree.setattr(data, { mode: 0o666 }, world.call(ALICE)), { mode: 0o100666 });
  t.equal(world.find('tcp/chat').mode, 0o040777);
  t.match(tree.setattr(data, { uid: 7, gid: 8 }, world.call()), { uid: 7, gid: 8 });
  t.match(world.find('tcp/chat'), { uid: 7, gid: 8 });
  t.equal(
    errnoOf(() => tree.setattr(data, { mode: 0 }, world.call(ALICE))),
    'EPERM',
  );
  t.equal(
    errnoOf(() => tree.setattr(data, { uid: 1000 }, world.call({ uid: 7 }))),
    'EPERM',
  );
  t.equal(
    errnoOf(() => tree.setattr(TCP, { mode: 0 }, world.call())),
    'EPERM',
  );
  t.same(tree.setattr(TCP, {}, world.call(BOB)), world.find('tcp'), 'no change, no question');
});

t.test('what cannot be read or written cannot be opened for it', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.equal(
    errnoOf(() => world.open('tcp/chat/state', O_WRONLY)),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.open('tcp/chat/state', O_RDWR)),
    'EACCES',
  );
  t.equal(
    errnoOf(() => world.open('status', O_RDWR)),
    'EACCES',
  );
  const { tree } = world;
  const { node } = world.find('tcp/chat');
  t.same(tree.open(node, O_RDONLY, world.call()), { handle: 0, stream: false, directory: true });
  t.match(tree.open(fileNode(1, 17), O_RDWR, world.call()), { stream: true, directory: false });
  for (const missing of [fileNode(1, 99), fileNode(0, 99), fileNode(77, 17), directoryNode(77)]) {
    t.equal(
      errnoOf(() => tree.open(missing, O_RDONLY, world.call())),
      'ESTALE',
      `${missing}`,
    );
    t.equal(
      errnoOf(() => tree.getattr(missing, world.now)),
      'ESTALE',
      `${missing}`,
    );
  }
  t.equal(
    errnoOf(() => tree.lookup(fileNode(1, 17), 'x', world.now)),
    'ENOTDIR',
  );
  t.equal(
    errnoOf(() => tree.read(999, 0, new Uint8Array(1), world.call())),
    'EBADF',
  );
  t.equal(
    errnoOf(() => tree.write(999, 0, new Uint8Array(1), world.call())),
    'EBADF',
  );
});

t.test('what a text file says is frozen for each open, and honours offset and size', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const early = world.open('tcp/chat/connect', O_RDONLY);
  const late = world.open('tcp/chat/connect', O_RDONLY);
  t.equal(world.readHandle(early, 3), 'not connected\n');
  world.listenThere(9000);
  world.write('tcp/chat/connect', `${THERE}:9000`);
  t.equal(world.readHandle(early), 'not connected\n', 'as at the first read');
  t.equal(world.readHandle(late, 1), 'connected\n', 'not as at the open');
  const target = new Uint8Array(3);
  t.equal(world.tree.read(late, 7, target, world.call()), 3);
  t.same(new TextDecoder().decode(target), 'ed\n');
  t.equal(world.tree.read(late, 10, target, world.call()), 0);
  t.equal(world.tree.read(late, 1000, target, world.call()), 0);
  world.restart();
  t.equal(world.readHandle(early), 'not connected\n', 'and so for the next engine');
});

t.test('the next engine shows the same tree and has the same files open', async (t) => {
  const world = new World();
  world.establish('chat');
  world.mkdir('hers', ALICE, 0o700);
  world.open('tcp/clone', O_RDWR, BOB);
  const released = world.open('tcp/chat/state', O_RDONLY);
  world.tree.release(released, world.now);
  const readable = FILES.filter((name) => !UNREADABLE.includes(name));
  const open = readable.map((name) => world.open(`tcp/chat/${name}`, O_RDONLY));
  world.tree.setattr(world.find('tcp/chat').node, { mode: 0o606 }, world.call());
  const paths = world.names();
  const before = paths.map((name) => world.find(`tcp/${name}`));
  const entries = [...world.tree.readdir(TCP, 0)];
  const highest = Math.max(...open);

  world.restart();
  t.same(
    paths.map((name) => world.find(`tcp/${name}`)),
    before,
  );
  t.same([...world.tree.readdir(TCP, 0)], entries);
  for (const [index, handle] of open.entries()) {
    if (LIVE.includes(readable[index]!)) continue;
    t.equal(world.readHandle(handle), world.read(`tcp/chat/${readable[index]}`));
  }
  t.equal(world.tree.connectionOf(open[0]!), 1);
  t.equal(
    errnoOf(() => world.readHandle(released)),
    'EBADF',
  );
  t.ok(world.open('tcp/chat/state', O_RDONLY) > highest, 'numbers are not used again');
});

t.test('a fresh mount has no open files', async (t) => {
  const world = new World();
  const handle = world.open('status', O_RDONLY);
  world.restart();
  world.tree.freshMount(world.now);
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'EBADF',
  );
  world.restart();
  t.equal(
    errnoOf(() => world.readHandle(handle)),
    'EBADF',
  );
  t.ok(world.open('status', O_RDONLY) > handle, 'numbers are not used again');
});

t.test('records that no tree has written are refused', async (t) => {
  const world = new World();
  world.mkdir('chat');
  const id = 1;
  const chat = world.records.of('node').get(id)!;
  world.restart();
  t.throws(() => world.tree.restore('node', id, chat), RecordError, 'the same again');
  t.throws(() => world.tree.restore('node', 2, chat), RecordError, 'a name twice');
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  world.open('tcp/chat/data', O_RDWR);
  const handle = [...world.records.of('handle').values()].at(-1)!;
  let accepted = 0;
  for (let round = 0; round < 5000; round++) {
    const kind = random(2) === 0 ? 'node' : 'handle';
    const value = (kind === 'node' ? chat : handle).slice();
    for (let flips = random(4); flips >= 0; flips--) value[random(value.length)] = random(256);
    try {
      world.tree.restore(kind, random(5000), value.subarray(0, value.length - random(3)));
      accepted++;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
  }
  t.ok(accepted > 0, 'some were accepted');
  world.list('tcp');
  for (let handle = 0; handle < 5000; handle++) world.tree.poll(handle);
});

t.test('a listing goes on while connections come and go', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const world = new World();
  const steady = new Set<string>();
  const passing: string[] = [];
  for (let n = 0; n < 100; n++) {
    world.mkdir(`c${n}`);
    if (random(2) === 0) steady.add(`c${n}`);
    else passing.push(`c${n}`);
  }
  const seen: string[] = [];
  let cookie = 0;
  for (let round = 0; ; round++) {
    let taken = 0;
    for (const entry of world.tree.readdir(TCP, cookie)) {
      if (taken++ === 3) break;
      seen.push(entry.name);
      cookie = entry.cookie;
    }
    if (taken === 0) break;
    const gone = passing.splice(random(passing.length), 1)[0];
    if (gone !== undefined) world.rmdir(gone);
    if (round < 20) world.mkdir(`late${round}`);
    if (round % 5 === 0) world.restart();
  }
  t.equal(new Set(seen).size, seen.length, 'nothing comes twice');
  t.same(
    [...steady].filter((name) => !seen.includes(name)),
    [],
    'nothing that stays is left out',
  );
});

t.test('a file whose connection is gone is ready, for an error', async (t) => {
  const world = new World();
  world.establish('chat');
  const handle = world.open('tcp/chat/data', O_RDONLY);
  const read = () => world.tree.read(handle, 0, new Uint8Array(1), world.call());
  t.equal(read(), BLOCKED);
  t.equal(world.tree.poll(handle) & 0x1, 0);
  world.write('tcp/chat/ctl', 'hangup');
  t.equal(world.tree.poll(handle) & 0x1d, 0x1d, 'POLLIN POLLOUT POLLERR POLLHUP');
  t.equal(errnoOf(read), 'ESTALE');
});
