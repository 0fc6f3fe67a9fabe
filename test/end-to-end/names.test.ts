// Hosts and services by their names: from the host's files, and by DNS over the tree's own stack.
import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, decode, encode, type Question, streamEncode } from 'dns-packet';
import t, { type Test } from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, HOST6, IPV6 } from './daemon.ts';
import { listen } from './peer.ts';
import { hasEnded } from './processes.ts';

const TRUNCATED = 1 << 9;
const NXDOMAIN = 3;

/** A name server on the host's side, over UDP and TCP. */
class NameServer {
  /** What was asked, in turn, as `A db.test`. */
  readonly asked: string[] = [];
  /** Answers by what is asked for; what is not there is no name. */
  readonly answers = new Map<string, readonly Answer[]>();
  isSilent = false;
  /** Whether it says everything over TCP only. */
  isBrief = false;

  static async start(t: Test): Promise<NameServer> {
    const server = new NameServer();
    const socket = createSocket('udp4').bind(53, HOST);
    await once(socket, 'listening');
    socket.on('message', (message, { address, port }) => {
      const reply = server.#reply(message, server.isBrief);
      if (!server.isSilent) socket.send(encode(reply), port, address);
    });
    const listener = await listen(HOST, 53);
    listener.on('connection', (connection) =>
      connection.resume().once('data', (bytes) => {
        connection.end(streamEncode(server.#reply(bytes.subarray(2), false)));
      }),
    );
    t.teardown(() => {
      socket.close();
      listener.close();
    });
    return server;
  }

  #reply(message: Buffer, isBrief: boolean) {
    const { id = 0, questions = [] } = decode(message);
    const { type, name } = questions[0] as Question;
    this.asked.push(`${type} ${name}`);
    const answers = this.answers.get(`${type} ${name}`);
    const isNobody = ![...this.answers.keys()].some((key) => key.endsWith(` ${name}`));
    const flags = 0x8180 | (isBrief ? TRUNCATED : 0) | (isNobody ? NXDOMAIN : 0);
    return {
      type: 'response',
      id,
      flags,
      questions,
      answers: isBrief ? [] : [...(answers ?? [])],
    } as const;
  }
}

/** Has a file of this mount namespace say something else. */
function replace(t: Test, daemon: Daemon, path: string, text: string): void {
  const file = join(daemon.directory, path.replaceAll('/', '-'));
  writeFileSync(file, text);
  execFileSync('mount', ['--bind', file, path]);
  t.teardown(() => void execFileSync('umount', [path]));
}

async function teller(t: Test, host: string, port: number): Promise<() => number> {
  const server = await listen(host, port);
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted++;
    socket.end('hello\n').resume();
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => server.close());
  return () => accepted;
}

t.test('by the files of the host', async (t) => {
  const daemon = Daemon.prepare(t);
  replace(t, daemon, '/etc/hosts', `${HOST} db DB.test\n10.7.0.99 twins\n${HOST} twins\n`);
  replace(t, daemon, '/etc/services', 'greeting 9000/tcp hello\ndomain 53/udp\n');
  replace(t, daemon, '/etc/resolv.conf', '');
  await daemon.mount();
  await teller(t, HOST, 9000);
  const says = async (script: string, stdout: string) =>
    t.same(await daemon.run(script), { status: 0, stdout, stderr: '' }, script);
  await says('cat net/dial/db:9000', 'hello\n');
  await says('cat net/dial/db.test:hello', 'hello\n');
  await says(
    'mkdir net/tcp/chat; echo tcp!db!greeting > net/tcp/chat/connect; cat net/tcp/chat/data',
    'hello\n',
  );
  await says(
    'exec 3<>net/resolve; echo tcp!twins!greeting >&3; cat <&3',
    `10.7.0.99:9000\n${HOST}:9000\n`,
  );
  await says(
    'mkdir net/udp/ask; echo udp!db!domain > net/udp/ask/connect; cat net/udp/ask/remote',
    `${HOST}:53\n`,
  );
  await says('ls net/dial/db:nonsense 2>&1 | grep -c "No such file"', '1\n');
  t.match(await daemon.run('cat net/dial/nobody:80'), {
    status: 1,
    stderr: /No such file or directory/,
  });
  t.match(await daemon.run('exec 3<>net/resolve; echo nobody:80 >&3; cat <&3'), {
    stdout: 'ENOENT nobody: not in /etc/hosts, and there is no name server\n',
    stderr: /No such file or directory/,
  });
  writeFileSync(join(daemon.directory, '-etc-hosts'), `${HOST} newcomer\n`);
  await says('cat net/dial/newcomer:9000', 'hello\n');
});

t.test('by DNS', async (t) => {
  const daemon = Daemon.prepare(t);
  replace(t, daemon, '/etc/resolv.conf', 'nameserver 10.7.0.77\nsearch example.test\n');
  await daemon.mount(...IPV6, '--resolver', HOST);
  const server = await NameServer.start(t);
  const greetings = await teller(t, HOST, 9000);
  const greetings6 = await teller(t, HOST6, 9000);
  const at = (type: 'A' | 'AAAA', name: string, data: string) =>
    server.answers.set(`${type} ${name}`, [{ type, name, data, ttl: 1 }]);
  at('A', 'four.example.test', HOST);
  at('AAAA', 'six.test', HOST6);
  server.answers.set('A many.test', [
    { type: 'CNAME', name: 'many.test', data: 'all.test', ttl: 60 },
    ...Array.from(
      { length: 99 },
      (_, i) => ({ type: 'A', name: 'all.test', data: `10.9.0.${i}`, ttl: 60 }) as const,
    ),
  ]);

  t.match(await daemon.run('cat net/dial/four:9000'), { status: 0, stdout: 'hello\n' });
  t.same(server.asked.sort(), ['A four.example.test', 'AAAA four.example.test']);
  t.match(await daemon.run('cat net/dial/six.test:9000'), { status: 0, stdout: 'hello\n' });
  t.same([greetings(), greetings6()], [1, 1]);
  t.match(await daemon.run('exec 3<>net/resolve; echo nobody:80 >&3; cat <&3'), {
    stdout: `ENOENT nobody: no such name, says ${HOST}\n`,
    stderr: /No such file or directory/,
  });
  server.isBrief = true;
  const many = await daemon.run(
    'exec 3<>net/resolve; echo many.test:80 >&3; wc -l <&3; cat net/tcp/connections',
  );
  t.match(many, { stdout: '99\n', stderr: '' });
  server.isBrief = false;

  // A name that nobody has answered for when the engine dies is asked for again, and nothing happens twice.
  at('A', 'late.test', HOST);
  server.isSilent = true;
  const waiting = [
    daemon.shell('exec cat net/dial/late.test:9000'),
    daemon.shell(`
      mkdir net/udp/late; echo late.test:9 > net/udp/late/remote
      grep -qx ${HOST}:9 net/udp/late/remote && echo hello
    `),
    daemon.shell(
      'mkdir net/tcp/late; echo late.test:9000 > net/tcp/late/connect; exec cat net/tcp/late/data',
    ),
  ];
  await until(() => server.asked.includes('A late.test'));
  await until(async () =>
    /late\n(.*\n)*late/.test((await daemon.run('ls net/tcp net/udp')).stdout),
  );
  await daemon.killEngine();
  server.asked.length = 0;
  server.isSilent = false;
  for (const program of waiting) {
    t.match(await program.ended, { status: 0, stdout: 'hello\n', stderr: '' });
  }
  t.ok(server.asked.includes('A late.test'));
  t.equal(greetings(), 3);

  server.isSilent = true;
  const killed = daemon.shell('exec cat net/dial/never.test:9000');
  await until(() => server.asked.includes('A never.test'));
  killed.kill();
  await until(() => hasEnded(killed.pid));
});
