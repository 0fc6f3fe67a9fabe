// The two commands that make a connection of standard input and output.
import '../namespace.ts';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOLDFAST, HOST, STACK } from './daemon.ts';
import { accept, dial, listen, readToEnd } from './peer.ts';

const NODE_HOLDFAST = `'${process.execPath}' '${HOLDFAST}'`;

function connections(daemon: Daemon): string[] {
  return readdirSync(join(daemon.mountpoint, 'tcp')).filter((name) => /^\d+$/.test(name));
}

t.test('holdfast nc', async (t) => {
  const daemon = await Daemon.start(t);
  const server = await listen(HOST, 9000);
  t.teardown(() => server.close());

  // It answers only when it has heard the end, so both ends are passed on.
  server.once('connection', async (socket) => socket.end(`${(await readToEnd(socket)).length}`));
  t.same(await daemon.run(`seq 100000 | ${NODE_HOLDFAST} nc ${HOST} 9000`), {
    status: 0,
    stdout: '588895',
    stderr: '',
  });

  const program = daemon.shell(`cd /; exec ${NODE_HOLDFAST} nc ${HOST} 9000`, 'pipe');
  const socket = await accept(server);
  program.process.stdin!.write('hello\n');
  socket.end('ended\n');
  await program.printed(/^ended$/m);
  await daemon.killEngine();
  program.process.stdin!.end('still there\n');
  t.equal((await readToEnd(socket)).toString(), 'hello\nstill there\n');
  t.same(await program.ended, { status: 0, stdout: 'ended\n', stderr: '' });

  const killed = daemon.shell(`exec ${NODE_HOLDFAST} nc --mount net ${HOST} 9000`, 'pipe');
  const orphan = await accept(server);
  killed.kill();
  t.equal((await readToEnd(orphan)).length, 0, 'the connection ends with the program');
  orphan.end();
  await until(() => connections(daemon).length === 0);

  const { status, stderr } = await daemon.run(`${NODE_HOLDFAST} nc ${HOST} 9001`);
  t.equal(status, 1);
  t.equal(stderr, `holdfast: cannot connect to ${HOST} port 9001: connection refused\n`);
});

t.test('holdfast serve', async (t) => {
  const daemon = await Daemon.start(t);
  const service = daemon.shell(
    `exec ${NODE_HOLDFAST} serve 8080 -- bash -c 'echo "$PROTO $TCPREMOTEIP $TCPLOCALIP $TCPLOCALPORT"; exec tr a-z A-Z'`,
  );
  await until(async () => (await daemon.read('tcp/listeners')).includes(':8080 '));
  for (const text of ['one', 'two']) {
    const socket = await dial(STACK, 8080);
    socket.end(text);
    t.equal(
      (await readToEnd(socket)).toString(),
      `TCP ${HOST} ${STACK} 8080\n${text.toUpperCase()}`,
    );
  }
  const waiting = await dial(STACK, 8080);
  await daemon.killEngine();
  waiting.end('through a death');
  t.match((await readToEnd(waiting)).toString(), /\nTHROUGH A DEATH$/);
  await until(() => connections(daemon).length === 1);
  service.kill();
  await until(() => connections(daemon).length === 0);

  const missing = daemon.shell(`exec ${NODE_HOLDFAST} serve 8081 -- ./no-such-program`);
  await until(async () => (await daemon.read('tcp/listeners')).includes(':8081 '));
  const socket = await dial(STACK, 8081);
  t.equal((await readToEnd(socket)).length, 0);
  const complaint = 'holdfast: cannot run ./no-such-program: no such file or directory\n';
  await until(() => missing.stderr.length >= complaint.length);
  t.equal(missing.stderr, complaint);
  socket.end();

  const { status, stderr } = await daemon.run(`${NODE_HOLDFAST} serve 8081 -- cat`);
  t.equal(status, 1);
  t.equal(stderr, 'holdfast: cannot listen at 8081: address already in use\n');
});

t.test('holdfast status --json', async (t) => {
  const daemon = await Daemon.start(t);
  await daemon.run('mkdir "net/tcp/a room"; echo :8080 > "net/tcp/a room/listen"');
  const json = async (path: string) =>
    JSON.parse((await daemon.run(`${NODE_HOLDFAST} status '${path}' --json`)).stdout);
  t.match(await json('net'), {
    engine_pid: await daemon.enginePid(),
    mtu_bytes: 1500,
    disk: 'ample',
  });
  t.match(await json('net/tcp/a room'), {
    name: 'a room',
    state: 'LISTEN',
    BACKLOG: 4096,
    writable_bytes: Number,
  });
  t.same(await json('net/tcp/listeners'), [
    {
      name: 'a room',
      local: '[::]:8080',
      waiting_connections: 0,
      backlog_connections: 4096,
      owner: '0:0',
    },
  ]);
  t.same(await json('net/tcp/connections'), []);
  const text = await daemon.run(
    `${NODE_HOLDFAST} status 'net/tcp/a room'; cat 'net/tcp/a room/status'`,
  );
  const lines = text.stdout.split('\n');
  t.same(lines.slice(0, lines.length / 2), lines.slice(lines.length / 2, -1));
});
