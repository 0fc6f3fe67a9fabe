import '../namespace.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { DRIVER_NAMES } from '../../mount/config.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { Keystream } from './keystream.ts';
import { accept, dial, listen, readToEnd } from './peer.ts';
import { hasEnded, untilInside } from './processes.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };

/** What goes through a connection in each direction, and how much of it before the daemon dies. */
const BYTES = 3_000_000;
const BEFORE = 100_001;

/** More readers than libfuse keeps threads for. */
const READERS = 20;

/** What fails with nothing but the tree, and `tcp/idle` in it, and what the program says then. */
const FAILURES: Record<string, string> = {
  'echo hello > net/tcp/idle/data': 'Transport endpoint is not connected',
  [`echo ${HOST}:1 > net/tcp/idle/connect`]: 'Connection refused',
  'echo nowhere > net/tcp/idle/connect': 'Invalid argument',
  'echo nonsense > net/tcp/idle/ctl': 'Invalid argument',
  'echo hello > net/tcp/idle/state': 'Permission denied',
  [`cat net/dial/${HOST}:1`]: 'Connection refused',
  'echo hello > net/dial/nowhere': 'No such file or directory',
  'cat net/tcp/nobody/state': 'No such file or directory',
  'cat net/tcp/idle/accept': 'Invalid argument',
  'touch net/tcp/idle/new': 'Permission denied',
  'mkdir net/tcp/idle': 'File exists',
  'mkdir net/elsewhere': 'Operation not permitted',
  "mkdir $'net/tcp/\\xff'": 'Invalid argument',
  'rmdir net/tcp/nobody': 'No such file or directory',
  'rmdir net/tcp/stats': 'Not a directory',
  'rm net/tcp/idle/data': 'Operation not permitted',
  'mv net/tcp/idle net/tcp/other': 'Operation not permitted',
  'ln -s idle net/tcp/other': 'Operation not permitted',
  'setpriv --reuid 65534 --clear-groups cat net/tcp/idle/state': 'Permission denied',
};

for (const driver of DRIVER_NAMES) {
  t.test(`the tree by the driver ${driver}`, async (t) => {
    t.comment(`HOLDFAST_SEED=${SEED}`);
    const daemon = await Daemon.start(t, '--driver', driver);
    t.equal((await daemon.status()).get('driver'), driver);

    await t.test('connect, a line at a time, and the end in both directions', async (t) => {
      const socket = await established(t, daemon, 'chat', 9000);
      t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
      t.equal(await daemon.read('tcp/chat/remote'), `${HOST}:9000`);
      socket.write('one\ntwo\nthree\n');
      t.same(
        await daemon.run('{ read -r a; read -r b; echo "$b $a"; } < net/tcp/chat/data'),
        { ...QUIET, stdout: 'two one\n' },
        'a reader of lines takes no more than its lines',
      );
      socket.end('four\n');
      t.same(await daemon.run('cat net/tcp/chat/data'), { ...QUIET, stdout: 'three\nfour\n' });
      t.same(await daemon.run('echo hello > net/tcp/chat/data'), QUIET);
      t.same(await daemon.run('echo >> net/tcp/chat/data'), QUIET);
      t.same(await daemon.run('echo wr > net/tcp/chat/shutdown'), QUIET);
      t.equal(`${await readToEnd(socket)}`, 'hello\n\n');
      t.same(await daemon.run('rmdir net/tcp/chat'), QUIET);
      t.match(await daemon.run('ls net/tcp/chat'), { status: 2 });
    });

    await t.test('listen and accept', async (t) => {
      t.same(
        await daemon.run(`
          mkdir net/tcp/srv
          echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
        `),
        QUIET,
      );
      const accepting = daemon.shell('exec cat net/tcp/srv/accept');
      await untilInside(accepting.pid, 'read');
      const caller = await dial(STACK, 8080);
      t.teardown(() => caller.destroy());
      const accepted = await accepting.ended;
      t.match(accepted, { ...QUIET, stdout: /^\d+\n$/ });
      const name = accepted.stdout.trim();
      t.equal(await daemon.read(`tcp/${name}/remote`), `${HOST}:${caller.localPort}`);
      t.same(await daemon.run(`echo close > net/tcp/${name}/ctl; rmdir net/tcp/srv`), QUIET);
      t.equal((await readToEnd(caller)).length, 0);
    });

    await t.test('a connection by clone, which is its ctl', async (t) => {
      t.same(
        await daemon.run(`
          exec 3<>net/tcp/clone
          read -r n <&3
          echo 'keepalive on' >&3
          echo 'nodelay on' >&3
          cat net/tcp/$n/sockopts/keepalive net/tcp/$n/sockopts/nodelay
          [ "$(cat net/tcp/$n/ctl)" = "$n" ] && echo close >&3
        `),
        { ...QUIET, stdout: 'on\non\n' },
      );
    });

    await t.test('a connection by open(2) alone', async (t) => {
      const server = await listen(HOST, 9000);
      t.teardown(() => server.close());
      const dialing = daemon.shell(`
        exec 3<>net/dial/${HOST}:9000
        echo hello >&3
        cat <&3
      `);
      const socket = await accept(server);
      socket.end('and goodbye\n');
      t.same(await dialing.ended, { ...QUIET, stdout: 'and goodbye\n' });
      t.equal(`${await readToEnd(socket)}`, 'hello\n');
    });

    await t.test('what fails, and how', async (t) => {
      t.same(await daemon.run('mkdir net/tcp/idle'), QUIET);
      for (const [command, error] of Object.entries(FAILURES)) {
        const { status, stderr } = await daemon.run(command);
        t.not(status, 0, command);
        t.match(stderr, error, command);
      }
      t.same(await daemon.run('ls net/tcp | grep idle'), { ...QUIET, stdout: 'idle\n' });
    });

    await t.test('owner and permissions', async (t) => {
      const { stdout } = await daemon.run(`
        stat -c '%F %a %u:%g' net/tcp net/tcp/idle net/tcp/idle/data net/tcp/idle/state
        chmod 600 net/tcp/idle/data && chown 65534 net/tcp/idle/data && touch net/tcp/idle/data
        stat -c '%F %a %u:%g' net/tcp/idle net/tcp/idle/data
        find net/tcp/idle -maxdepth 1 -type d
      `);
      t.equal(
        stdout,
        [
          'directory 1777 0:0',
          'directory 770 0:0',
          'regular file 660 0:0',
          'regular file 440 0:0',
          'directory 700 65534:0',
          'regular file 600 65534:0',
          'net/tcp/idle',
          'net/tcp/idle/sockopts\n',
        ].join('\n'),
      );
      t.same(await daemon.run('rmdir net/tcp/idle'), QUIET);
    });

    await t.test('O_NONBLOCK, at open and later', async (t) => {
      const socket = await established(t, daemon, 'chat', 9000);
      t.same(
        await daemon.run(`exec python3 -c '
import os
for flags in os.O_NONBLOCK, 0:
    data = os.open("net/tcp/chat/data", os.O_RDWR | flags)
    os.set_blocking(data, False)
    try: os.read(data, 1)
    except BlockingIOError: print("nothing")
    os.close(data)
'`),
        { ...QUIET, stdout: 'nothing\nnothing\n' },
      );
      t.same(await daemon.run('rmdir net/tcp/chat'), QUIET);
      t.equal((await readToEnd(socket)).length, 0);
    });

    await t.test('programs that wait hold nobody else up', async (t) => {
      const socket = await established(t, daemon, 'chat', 9000);
      const readers = Array.from({ length: READERS }, () =>
        daemon.shell('exec cat net/tcp/chat/data'),
      );
      for (const { pid } of readers) await untilInside(pid, 'read');
      t.same(await daemon.run('mkdir net/tcp/more && ls net/tcp >/dev/null'), QUIET);
      t.same(await daemon.run('echo hello > net/tcp/chat/data && rmdir net/tcp/more'), QUIET);
      socket.end('to one of you');
      const ended = await Promise.all(readers.map((reader) => reader.ended));
      t.same(ended.map(({ stdout }) => stdout).join(''), 'to one of you');
      t.ok(ended.every(({ status }) => status === 0));
      t.same(await daemon.run('rmdir net/tcp/chat'), QUIET);
      t.equal(`${await readToEnd(socket)}`, 'hello\n');
    });

    await t.test('the daemon dies, and the next one goes on at the byte', async (t) => {
      const socket = await established(t, daemon, 'kept', 9000);
      countRsts();
      const outbound = new Keystream(`${SEED} outbound`).bytes(BYTES);
      const inbound = new Keystream(`${SEED} inbound`).bytes(BYTES);
      await writeFile(join(daemon.directory, 'out'), outbound);
      socket.write(inbound.subarray(0, 2 * BEFORE));
      t.same(
        await daemon.run(`
          chmod 640 net/tcp/kept/data
          head -c ${BEFORE} net/tcp/kept/data > in
          head -c ${BEFORE} out > net/tcp/kept/data
        `),
        QUIET,
      );
      await daemon.killBoth();
      t.not((await daemon.run('cat net/tcp/kept/state')).status, 0, 'nobody serves it');
      socket.write(inbound.subarray(2 * BEFORE));
      await daemon.mount('--driver', driver);

      t.equal(await daemon.read('tcp/kept/state'), 'ESTABLISHED');
      t.same(await daemon.run('stat -c %a net/tcp/kept/data'), { ...QUIET, stdout: '640\n' });
      const received = readToEnd(socket);
      const reader = daemon.run('cat net/tcp/kept/data >> in');
      t.same(await daemon.run(`tail -c +${BEFORE + 1} out > net/tcp/kept/data`), QUIET);
      socket.end();
      t.same(await reader, QUIET);
      t.same(await daemon.run('rmdir net/tcp/kept'), QUIET);
      t.ok(outbound.equals(await received), 'the peer got every byte once');
      t.ok(inbound.equals(await readFile(join(daemon.directory, 'in'))), 'and so did the mount');
      t.same(rsts(), { received: 0, sent: 0 });
    });

    await t.test('somebody else unmounts, and the daemon ends', async (t) => {
      const keeper = await daemon.keeperPid();
      t.same(await daemon.run('umount net'), QUIET);
      await until(() => hasEnded(keeper));
      t.pass();
    });
  });
}
