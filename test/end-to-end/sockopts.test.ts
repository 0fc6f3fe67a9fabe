import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { accept, dial, listen } from './peer.ts';

/** Something other than the default for each file. */
const VALUES = {
  congestion_control: 'reno',
  durability: 'power',
  ecn: 'on',
  keepalive: 'on',
  keepalive_count: '3',
  keepalive_idle_ms: '1000000',
  keepalive_interval_ms: '12345',
  maxseg_bytes: '1000',
  nodelay: 'on',
  pacing: 'on',
  receive_buffer_bytes: '65536',
  send_buffer_bytes: '32768',
  tos: '184',
  ttl: '7',
  user_timeout_ms: '98765',
  user_timeout_option: 'on',
  v6only: 'on',
} as const;

/** Says what every option of `connection` is. */
async function options(daemon: Daemon, connection: string): Promise<Record<string, string>> {
  const directory = `tcp/${connection}/sockopts`;
  const names = readdirSync(join(daemon.mountpoint, directory)).sort();
  const values = names.map(async (name) => [name, await daemon.read(`${directory}/${name}`)]);
  return Object.fromEntries(await Promise.all(values));
}

/** Puts `rule` before what the host receives, in a table of its own called `name`. */
function onInput(name: string, rule: string): void {
  execFileSync('nft', ['-f', '-'], {
    input: `table ip ${name} {
      chain input {
        type filter hook input priority 0
        ip saddr ${STACK} ${rule}
      }
    }`,
  });
}

function remove(name: string): void {
  execFileSync('nft', ['delete', 'table', 'ip', name]);
}

/** How many packets the `counter` in the rule called `name` has seen. */
function packets(name: string): number {
  const listed = execFileSync('nft', ['list', 'table', 'ip', name]).toString();
  return Number(/packets (\d+)/.exec(listed)![1]);
}

t.test('what is set outlives the engine and the mount, and goes to what is accepted', async (t) => {
  const daemon = await Daemon.start(t);
  await daemon.run('mkdir net/tcp/server');
  for (const [name, value] of Object.entries(VALUES)) {
    const set = await daemon.run(`echo ${value} > net/tcp/server/sockopts/${name}`);
    t.same(set, { status: 0, stdout: '', stderr: '' }, name);
  }
  t.same(await options(daemon, 'server'), VALUES);
  await daemon.killEngine();
  t.same(await options(daemon, 'server'), VALUES, 'after the engine was killed');
  await daemon.unmount();
  await daemon.mount();
  t.same(await options(daemon, 'server'), VALUES, 'after the next mount');

  await daemon.run(`echo ${STACK}:8080 > net/tcp/server/listen`);
  const socket = await dial(STACK, 8080);
  t.teardown(() => socket.destroy());
  const accepted = (await daemon.run('cat net/tcp/server/accept')).stdout.trim();
  t.same(await options(daemon, accepted), VALUES, 'of the connection that was accepted');
});

t.test('what is no value', async (t) => {
  const daemon = await Daemon.start(t);
  await daemon.run('mkdir net/tcp/chat');
  for (const command of [
    'echo 256 > net/tcp/chat/sockopts/ttl',
    'echo fast > net/tcp/chat/sockopts/congestion_control',
    'echo keepalive maybe > net/tcp/chat/ctl',
  ]) {
    const { status, stderr } = await daemon.run(command);
    t.match(stderr, /: Invalid argument$/m, command);
    t.equal(status, 1);
  }
  const { stderr } = await daemon.run('cat net/tcp/chat/sockopts/speed');
  t.match(stderr, /: No such file or directory$/m);
});

t.test('hop limit and type of service are on the wire', async (t) => {
  const daemon = await Daemon.start(t);
  onInput('marked', 'ip ttl 7 ip dscp ef counter');
  const server = await listen(HOST, 9000);
  t.teardown(() => server.close());
  await daemon.run(`
    mkdir net/tcp/chat
    echo 7 > net/tcp/chat/sockopts/ttl
    echo tos 184 > net/tcp/chat/ctl
  `);
  const [socket] = await Promise.all([
    accept(server),
    daemon.run(`echo ${HOST}:9000 > net/tcp/chat/connect`),
  ]);
  t.teardown(() => socket.destroy());
  await until(() => packets('marked') >= 2);
  t.pass('SYN and ACK');
});

t.test('a peer that is gone is noticed by keep-alives', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  // Linux answers no more than one in 500 ms (net.ipv4.tcp_invalid_ratelimit).
  const set = await daemon.run(`
    cd net/tcp/chat/sockopts
    echo 600 > keepalive_idle_ms && echo 600 > keepalive_interval_ms &&
    echo 2 > keepalive_count && echo on > keepalive
  `);
  t.same(set, { status: 0, stdout: '', stderr: '' });
  const reader = daemon.shell('cat net/tcp/chat/data');
  onInput('questions', 'counter');
  await until(() => packets('questions') >= 4);
  t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED', 'it answers');
  await daemon.killEngine();
  onInput('silence', 'drop');
  t.match(await reader.ended, { status: 1, stderr: /: Connection timed out$/m });
  remove('silence');
  socket.destroy();
});

t.test('what nobody acknowledges for the user timeout ends the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  await daemon.run('echo 500 > net/tcp/chat/sockopts/user_timeout_ms');
  const reader = daemon.shell('cat net/tcp/chat/data');
  onInput('silence', 'drop');
  t.match(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0 });
  t.match(await reader.ended, { status: 1, stderr: /: Connection timed out$/m });
  t.equal(await daemon.read('tcp/chat/error'), 'ETIMEDOUT Connection timed out');
  remove('silence');
  socket.destroy();
});
