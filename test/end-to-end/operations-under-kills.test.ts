import '../namespace.ts';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { seeded } from '../seeded.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { killRepeatedly } from './kill-repeatedly.ts';
import { accept, dial, listen } from './peer.ts';
import { hasEnded, untilInside } from './processes.ts';
import { SEED } from './seed.ts';
import type { Ended } from './shell.ts';

const KILLS = 12;
const QUIET: Ended = { status: 0, stdout: '', stderr: '' };

/** As many shells at a time, so that turns of the engine have more than one reply. */
const WORKERS = ['a', 'b', 'c'];

/**
 * What each of the shells, whose name is in `w`, does again and again until there were enough kills. It counts in `i`.
 * The first error ends it all.
 */
const repeat = (body: string, afterwards = '') => `
  work() {
    i=0
    until [ -e enough ]; do
      i=$((i + 1))
      ${body.trim().split('\n').join(' || exit 1\n')} || exit 1
    done
    ${afterwards}
  }
  for w in ${WORKERS.join(' ')}; do work & pids+=($!); done
  for pid in \${pids[@]}; do wait $pid || exit 1; done
`;

/** Kills the engine KILLS times, then says so to the shell. */
async function killEnough(t: { comment(text: string): void }, daemon: Daemon): Promise<void> {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const before = await daemon.epoch();
  try {
    t.comment(await killRepeatedly(daemon, KILLS, seeded(SEED)));
  } finally {
    await writeFile(join(daemon.directory, 'enough'), '');
  }
  const grown = (await daemon.epoch()) - before;
  if (grown !== KILLS) throw new Error(`epoch has grown by ${grown}, not by ${KILLS}`);
}

/** The directories of connections that there are. */
async function connections(daemon: Daemon): Promise<string[]> {
  const entries = await readdir(join(daemon.mountpoint, 'tcp'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

t.test('mkdir and rmdir take effect once', async (t) => {
  const daemon = await Daemon.start(t);
  const program = daemon.run(repeat('mkdir net/tcp/room$w$i\nrmdir net/tcp/room$w$i'));
  await killEnough(t, daemon);
  t.same(await program, QUIET);
  t.same(await connections(daemon), []);
});

t.test('clone takes effect once', async (t) => {
  const daemon = await Daemon.start(t);
  const program = daemon.run(repeat('n=$(cat net/tcp/clone)\necho $n\nrmdir net/tcp/$n'));
  await killEnough(t, daemon);
  const { status, stdout, stderr } = await program;
  t.same({ status, stderr }, { status: 0, stderr: '' });
  const numbers = stdout
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b);
  t.same(
    numbers,
    numbers.map((_, i) => numbers[0]! + i),
    'no number was given twice, and none was lost',
  );
  t.same(await connections(daemon), []);
});

t.test('connect takes effect once', async (t) => {
  const daemon = await Daemon.start(t);
  const server = await listen(HOST, 9000);
  t.teardown(() => server.close());
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted++;
    socket.on('end', () => socket.end()).resume();
  });
  const program = daemon.run(
    repeat(
      `mkdir net/tcp/call$w$i\necho ${HOST}:9000 > net/tcp/call$w$i/connect\nrmdir net/tcp/call$w$i`,
      'echo $i',
    ),
  );
  await killEnough(t, daemon);
  const { status, stdout, stderr } = await program;
  t.same({ status, stderr }, { status: 0, stderr: '' });
  const calls = stdout
    .trim()
    .split('\n')
    .reduce((sum, count) => sum + Number(count), 0);
  await until(() => accepted >= calls);
  t.equal(accepted, calls, 'the host was called as often as the shells called');
});

t.test('accept takes effect once', async (t) => {
  const daemon = await Daemon.start(t);
  t.same(
    await daemon.run(`
      mkdir net/tcp/srv
      echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
    `),
    QUIET,
  );
  const server = daemon.shell(
    repeat(
      'c=$(cat net/tcp/srv/accept)\necho "$c $(cat net/tcp/$c/remote)"\necho close > net/tcp/$c/ctl',
    ),
  );
  const callers = new Set<string>();
  const call = async () => {
    while (server.process.exitCode === null) {
      const socket = await dial(STACK, 8080);
      const caller = `${HOST}:${socket.localPort}`;
      callers.add(caller);
      t.teardown(() => socket.destroy());
      socket.on('end', () => socket.end()).resume();
      await until(() => server.stdout.includes(` ${caller}\n`) || server.process.exitCode !== null);
    }
  };
  const calling = Promise.all(WORKERS.map(call));
  await killEnough(t, daemon);
  const { status, stdout, stderr } = await server.ended;
  t.same({ status, stderr }, { status: 0, stderr: '' });
  await calling;
  const lines = stdout.trim().split('\n');
  const names = lines.map((line) => line.split(' ')[0]);
  t.same(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
    'no connection was accepted twice',
  );
  const accepted = lines.map((line) => line.split(' ')[1]!);
  t.same(
    accepted.filter((caller) => !callers.has(caller)),
    [],
    'nobody was accepted who had not called',
  );
  // The last calls came when no shell accepted any more.
  t.ok(callers.size - accepted.length <= WORKERS.length, 'nobody was forgotten');
});

t.test('connect, waiting when the engine is killed, is established by the next one', async (t) => {
  const daemon = await Daemon.start(t);
  const server = await listen(HOST, 9000);
  t.teardown(() => server.close());
  t.same(
    await daemon.run(`
      nft add table inet wall
      nft add chain inet wall input '{ type filter hook input priority 0; }'
      nft add rule inet wall input tcp dport 9000 drop
      mkdir net/tcp/call
    `),
    QUIET,
  );
  const program = daemon.shell(`
    exec 3> net/tcp/call/connect
    echo opened
    exec python3 -c 'import os; os.write(3, b"${HOST}:9000")'
  `);
  await program.printed(/opened/);
  await untilInside(program.pid, 'write');
  t.equal(await daemon.read('tcp/call/state'), 'SYN-SENT');
  await daemon.killEngine();
  t.equal(await daemon.read('tcp/call/state'), 'SYN-SENT');
  const accepted = accept(server);
  t.same(await daemon.run('nft delete table inet wall'), QUIET);
  t.same(await program.ended, { ...QUIET, stdout: 'opened\n' });
  const socket = await accepted;
  t.teardown(() => socket.destroy());
  t.equal(await daemon.read('tcp/call/local'), `${socket.remoteAddress}:${socket.remotePort}`);
});

t.test('accept, waiting when the engine is killed, gets the next caller', async (t) => {
  const daemon = await Daemon.start(t);
  await daemon.run(`
    mkdir net/tcp/srv
    echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
  `);
  const waiting = daemon.shell('exec 3< net/tcp/srv/accept; echo opened; exec cat <&3');
  await waiting.printed(/opened/);
  await untilInside(waiting.pid, 'read');
  await daemon.killEngine();
  const socket = await dial(STACK, 8080);
  t.teardown(() => socket.destroy());
  const { status, stdout } = await waiting.ended;
  t.equal(status, 0);
  const name = stdout.split('\n')[1];
  t.equal(await daemon.read(`tcp/${name}/remote`), `${HOST}:${socket.localPort}`);
});

t.test('a program waiting in poll wakes up when bytes come after a kill', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const program = daemon.shell(`exec python3 -c '
import os, select
data = os.open("net/tcp/chat/data", os.O_RDONLY | os.O_NONBLOCK)
poll = select.poll()
poll.register(data, select.POLLIN)
print(poll.poll(0), flush=True)
poll.poll()
print(os.read(data, 100).decode(), flush=True)
'`);
  await program.printed(/^\[\]$/m);
  await untilInside(program.pid, 'poll');
  await daemon.killEngine();
  socket.write('awake');
  t.same(await program.ended, { ...QUIET, stdout: '[]\nawake\n' });
});

t.test('a reader killed while no engine runs swallows no bytes', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const reader = daemon.shell('exec 3< net/tcp/chat/data; echo opened; exec cat <&3');
  await reader.printed(/opened/);
  await untilInside(reader.pid, 'read');

  // With the keeper stopped nobody starts the next engine.
  const status = await daemon.status();
  const keeper = Number(status.get('keeper_pid'));
  const engine = Number(status.get('engine_pid'));
  process.kill(keeper, 'SIGSTOP');
  process.kill(engine, 'SIGKILL');
  await until(() => hasEnded(engine));
  socket.write('kept');
  reader.process.kill('SIGKILL');
  process.kill(keeper, 'SIGCONT');
  await daemon.untilEpoch(Number(status.get('epoch')) + 1);
  await reader.ended;
  t.equal(reader.stdout, 'opened\n');
  t.same(await daemon.run('head -c 4 net/tcp/chat/data'), { ...QUIET, stdout: 'kept' });
});
