import '../namespace.ts';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { accept, dial, listen } from './peer.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };
const MOUNT = 'mount net --daemon --log-file log';

interface Scene {
  readonly daemon: Daemon;
  /** The other end of `chat`. */
  readonly socket: Socket;
  /** Of a connection to `srv` that nobody has accepted. */
  readonly caller: Socket;
}

async function scene(t: Test): Promise<Scene> {
  const daemon = await Daemon.start(t);
  const listening = await daemon.run(`
    mkdir net/tcp/srv && echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
  `);
  t.same(listening, QUIET);
  const socket = await established(t, daemon, 'chat', 9000);
  const caller = await dial(STACK, 8080);
  t.teardown(() => caller.destroy());
  socket.write('one');
  t.match(await daemon.run('head -c 1 net/tcp/chat/data'), { status: 0, stdout: 'o' });
  return { daemon, socket, caller };
}

/** Both sides go on, so that the backup becomes old. */
async function goOn({ daemon, socket }: Scene, t: Test): Promise<void> {
  t.same(await daemon.run('echo -n hello > net/tcp/chat/data'), QUIET);
  socket.write('two');
  t.match(await daemon.run('head -c 5 net/tcp/chat/data'), { status: 0, stdout: 'netwo' });
}

/** Resolves with the error a socket ends with. */
async function endOf(socket: Socket): Promise<string> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code ?? '';
}

/** The store is refused by one line, and not changed; then its rollback is accepted. */
async function isAcceptedOnly(scene: Scene, t: Test): Promise<void> {
  const { daemon, socket, caller } = scene;
  const before = (await daemon.run('cat net.store/data.mdb net.store/turn | sha256sum')).stdout;
  const refused = await daemon.holdfast(MOUNT);
  t.equal(refused.status, 1);
  t.match(refused.stderr, /^holdfast: .* is older than .*copied back.*--accept-rollback.*\n$/);
  const after = (await daemon.run('cat net.store/data.mdb net.store/turn | sha256sum')).stdout;
  t.equal(after, before);
  t.match(await daemon.holdfast('check net.store'), {
    status: 1,
    stderr: /^holdfast: .*is older than.*\n$/,
  });

  const ends = Promise.all([endOf(socket.resume()), endOf(caller.resume())]);
  t.match(await daemon.holdfast(`${MOUNT} --accept-rollback`), { status: 0, stderr: '' });
  t.same(await ends, ['ECONNRESET', 'ECONNRESET'], 'the peers are told, and are told once');
  t.equal(await daemon.read('tcp/chat/state'), 'CLOSED');
  t.match(await daemon.run('cat net/tcp/chat/error'), { stdout: /^ECONNABORTED/ });
  t.match(await daemon.run('cat net/tcp/chat/data'), {
    status: 1,
    stdout: '',
    stderr: /Software caused connection abort/,
  });
  t.same(await daemon.run('cat net/tcp/chat/data'), QUIET, 'once');
  t.equal(await daemon.read('tcp/srv/state'), 'LISTEN');
  const again = await dial(STACK, 8080);
  t.match(await daemon.run('cat net/tcp/srv/accept'), { status: 0, stdout: /^\d+\n$/ });
  again.destroy();
}

t.test(
  'a backup made while mounted is refused, and accepted without its connections',
  async (t) => {
    const made = await scene(t);
    const { daemon } = made;
    t.same(await daemon.run('cp -a net.store backup'), QUIET);
    await goOn(made, t);
    await daemon.killBoth();
    t.match(await daemon.holdfast('umount net'), { status: 0 });
    t.same(
      await daemon.run('cp -a net.store future && rm -r net.store && cp -a backup net.store'),
      QUIET,
    );
    await isAcceptedOnly(made, t);

    await t.test('and then what it might have become is refused', async (t) => {
      t.match(await daemon.unmount(), { status: 0 });
      t.same(await daemon.run('mv net.store accepted && cp -a future net.store'), QUIET);
      const { status, stderr } = await daemon.holdfast(MOUNT);
      t.equal(status, 1);
      t.match(stderr, /^holdfast: .*is not the one that .*witness knows.*\n$/);
      t.same(await daemon.run('rm -r net.store && mv accepted net.store'), QUIET);
      t.match(await daemon.holdfast(MOUNT), { status: 0, stderr: '' });
      t.equal(await daemon.read('tcp/srv/state'), 'LISTEN');
    });
  },
);

t.test(
  'a backup made when unmounted is refused, and accepted without its connections',
  async (t) => {
    const made = await scene(t);
    const { daemon } = made;
    t.match(await daemon.unmount(), { status: 0 });
    t.same(await daemon.run('cp -a net.store backup'), QUIET);
    await daemon.mount();
    await goOn(made, t);
    t.match(await daemon.unmount(), { status: 0 });
    t.same(await daemon.run('rm -r net.store && cp -a backup net.store'), QUIET);
    await isAcceptedOnly(made, t);
  },
);

t.test('a store that is moved takes its witness along', async (t) => {
  const { daemon, socket } = await scene(t);
  t.match(await daemon.unmount(), { status: 0 });
  t.same(await daemon.run('mv net.store other'), QUIET);
  const { status, stderr } = await daemon.holdfast(`${MOUNT} --store other`);
  t.equal(status, 1);
  t.match(stderr, /^holdfast: .*other\.witness is missing.*--accept-rollback.*\n$/);
  t.same(await daemon.run('mv net.store.witness other.witness'), QUIET);
  t.match(await daemon.holdfast(`${MOUNT} --store other`), { status: 0, stderr: '' });
  t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
  socket.write('!');
  t.match(await daemon.run('head -c 3 net/tcp/chat/data'), { stdout: 'ne!' });
});

t.test('who removes a store begins a new one', async (t) => {
  const { daemon } = await scene(t);
  t.match(await daemon.unmount(), { status: 0 });
  t.same(await daemon.run('rm -r net.store'), QUIET);
  t.match(await daemon.holdfast(MOUNT), { status: 0, stderr: '' });
  t.notOk(existsSync(`${daemon.mountpoint}/tcp/chat`));
  await daemon.killEngine();
  const server = await listen(HOST, 9001);
  const dialed = daemon.run(`mkdir net/tcp/new && echo ${HOST}:9001 > net/tcp/new/connect`);
  t.same((await Promise.all([accept(server), dialed]))[1], QUIET);
  server.close();
});
