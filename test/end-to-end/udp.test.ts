import '../namespace.ts';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, HOST6, IPV6, STACK, STACK6 } from './daemon.ts';
import { stop, untilInside } from './processes.ts';

const VERSIONS = [
  { host: HOST, stack: STACK, type: 'udp4', isIpv6: false },
  { host: HOST6, stack: STACK6, type: 'udp6', isIpv6: true },
] as const;

function written(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A socket of the kernel's. */
async function socketOf(t: Test, type: 'udp4' | 'udp6', address: string): Promise<Socket> {
  const socket = createSocket(type).bind(0, address);
  t.teardown(() => socket.close());
  await once(socket, 'listening');
  return socket;
}

/** A port that nobody has. */
async function closedPort(type: 'udp4' | 'udp6', address: string): Promise<number> {
  const socket = createSocket(type).bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Resolves when as many datagrams wait to be read. */
async function untilReadable(daemon: Daemon, name: string, count: number): Promise<void> {
  await until(async () =>
    (await daemon.read(`udp/${name}/status`)).includes(`\nreadable_datagrams ${count}\n`),
  );
}

async function engineOf(daemon: Daemon): Promise<{ epoch: number; pid: number }> {
  return { epoch: await daemon.epoch(), pid: await daemon.enginePid() };
}

t.test('datagrams between programs and the kernel', async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);

  for (const { host, stack, type, isIpv6 } of VERSIONS) {
    const name = type;

    await t.test(`a server in bash, and socat asks, over ${stack}`, async (t) => {
      const server = daemon.shell(`
        mkdir net/udp/${name}
        echo '${written(stack, 5353)}' > net/udp/${name}/bind
        exec 3<> net/udp/${name}/data
        echo bound
        for _ in 1 2; do
          question=$(dd bs=2000 count=1 status=none <&3)
          echo "you said $question" >&3
        done
        cat net/udp/${name}/remote
      `);
      await server.printed(/^bound$/m);
      for (const question of ['hello', 'again']) {
        const to = `UDP${isIpv6 ? 6 : 4}:${isIpv6 ? `[${stack}]` : stack}:5353`;
        const socat = daemon.shell(
          `exec socat -t 60 - ${to},bind=${isIpv6 ? `[${host}]` : host}`,
          'pipe',
        );
        socat.process.stdin!.write(question);
        await socat.printed(new RegExp(`^you said ${question}$`, 'm'));
        socat.kill();
      }
      const { stdout, stderr } = await server.ended;
      t.equal(stderr, '');
      t.ok(stdout.includes(`${isIpv6 ? `[${host}]` : host}:`), stdout);
    });

    await t.test(`python3 answers, over ${stack}, also what needs fragments`, async (t) => {
      const server = daemon.shell(`exec python3 -c '
import socket
server = socket.socket(socket.AF_INET${isIpv6 ? '6' : ''}, socket.SOCK_DGRAM)
server.bind(("${host}", 0))
print("port", server.getsockname()[1], flush=True)
while True:
    data, peer = server.recvfrom(70000)
    server.sendto(data[::-1], peer)
'`);
      const [, port] = await server.printed(/^port (\d+)$/m);
      const { stdout, stderr } = await daemon.run(`
        mkdir net/udp/ask-${name} &&
        echo '${written(host, Number(port))}' > net/udp/ask-${name}/connect &&
        exec python3 -c '
import os
data = os.open("net/udp/ask-${name}/data", os.O_RDWR)
for length in (1, 1452, 1500, 4000, 65507):
    question = bytes(i * 7 % 251 for i in range(length))
    assert os.write(data, question) == length
    assert os.read(data, 70000) == question[::-1], length
try:
    os.write(data, bytes(65528))
except OSError as error:
    print(error.strerror)
'`);
      t.same({ stdout, stderr }, { stdout: 'Message too long\n', stderr: '' });
      server.kill();
    });

    await t.test(`nobody there, either way, over ${stack}`, async (t) => {
      const port = await closedPort(type, host);
      const { stdout, stderr } = await daemon.run(`
        mkdir net/udp/closed-${name}
        echo '${written(host, port)}' > net/udp/closed-${name}/connect
        exec python3 -c '
import os, select, socket
data = os.open("net/udp/closed-${name}/data", os.O_RDWR | os.O_NONBLOCK)
poller = select.poll()
poller.register(data, select.POLLIN)
os.write(data, b"anybody?")
poller.poll()
for _ in range(2):
    try:
        os.read(data, 100)
    except OSError as error:
        print(error.strerror)
kernel = socket.socket(socket.AF_INET${isIpv6 ? '6' : ''}, socket.SOCK_DGRAM)
kernel.connect(("${stack}", 9))
kernel.send(b"anybody?")
try:
    kernel.recv(100)
except OSError as error:
    print(error.strerror)
'`);
      const expected = 'Connection refused\nResource temporarily unavailable\nConnection refused\n';
      t.same({ stdout, stderr }, { stdout: expected, stderr: '' });
    });
  }

  await t.test('nc, and a program that has to be asked', async (t) => {
    const nc = daemon.shell(`exec nc -u -l -s ${HOST} -p 7777`, 'pipe');
    await until(async () => (await daemon.run(`ss -Hlun 'sport = :7777'`)).stdout !== '');
    await daemon.run(`
      mkdir net/udp/nc
      echo ${HOST}:7777 > net/udp/nc/remote
      echo hello > net/udp/nc/data
    `);
    await nc.printed(/^hello$/m);
    nc.process.stdin!.write('and hello to you\n');
    const { stdout } = await daemon.run('head -n 1 net/udp/nc/data; cat net/udp/nc/remote');
    t.equal(stdout, `and hello to you\n${HOST}:7777\n`);
    nc.kill();
  });

  await t.test('poll, epoll and signals', async (t) => {
    const socket = await socketOf(t, 'udp4', HOST);
    const waiter = daemon.shell(`mkdir net/udp/poll; echo :5354 > net/udp/poll/bind
exec python3 -c '
import os, select
data = os.open("net/udp/poll/data", os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(data, 9)
except BlockingIOError:
    print("nothing", flush=True)
poller = select.poll()
poller.register(data, select.POLLIN)
print(poller.poll() == [(data, select.POLLIN)], os.read(data, 100), flush=True)
epoll = select.epoll()
epoll.register(data, select.EPOLLIN)
print(epoll.poll() == [(data, select.EPOLLIN)], os.read(data, 100), flush=True)
'`);
    await waiter.printed(/^nothing$/m);
    await untilInside(waiter.pid, 'poll');
    socket.send('one', 5354, STACK);
    await waiter.printed(/^True b'one'$/m);
    socket.send('two', 5354, STACK);
    t.match(await waiter.ended, { stdout: "nothing\nTrue b'one'\nTrue b'two'\n", stderr: '' });
    const cat = daemon.shell('exec cat net/udp/poll/data');
    await untilInside(cat.pid, 'read');
    process.kill(cat.pid, 'SIGTERM');
    t.equal((await cat.ended).status, 143, 'a reader that waits can be killed');
  });

  await t.test('what waits to be read outlives engines, and is read once', async (t) => {
    for (const { host, stack, type } of VERSIONS) {
      await t.test(`over ${stack}`, async (t) => {
        const socket = await socketOf(t, type, host);
        await daemon.run(`mkdir net/udp/kept-${type}; echo ':5355' > net/udp/kept-${type}/bind`);
        const send = async (from: number, to: number) => {
          for (let i = from; i < to; i++) {
            await new Promise((resolve) => socket.send(`datagram ${i}`, 5355, stack, resolve));
          }
        };
        await send(0, 100);
        await untilReadable(daemon, `kept-${type}`, 100);
        const reader = daemon.shell(`exec python3 -c '
import os
data = os.open("net/udp/kept-${type}/data", os.O_RDWR)
for i in range(300):
    text = os.read(data, 100).decode()
    assert text == "datagram %d" % i, (i, text)
    if i % 10 == 9:
        print("read", i, flush=True)
os.write(data, b"all")
'`);
        await reader.printed(/^read 99$/m);
        await untilInside(reader.pid, 'read');
        const { epoch, pid } = await engineOf(daemon);
        // What an engine has taken in and not committed when it dies is lost: that is UDP.
        await stop(pid);
        await send(100, 200);
        process.kill(pid, 'SIGKILL');
        await daemon.untilEpoch(epoch + 1);
        await reader.printed(/^read 199$/m);
        const next = await engineOf(daemon);
        await stop(next.pid);
        const answered = once(socket, 'message');
        await send(200, 300);
        process.kill(next.pid, 'SIGKILL');
        const [answer] = await answered;
        t.equal(`${answer}`, 'all');
        t.match(await reader.ended, { status: 0, stderr: '' });
        await daemon.run(`rmdir net/udp/kept-${type}`);
      });
    }
  });

  await t.test('a socket outlives a remount, and its directory', async (t) => {
    const socket = await socketOf(t, 'udp4', HOST);
    await daemon.run(`
    mkdir -m 700 net/udp/srv
    printf 'bind ${STACK}:5356\nttl 7\n' > net/udp/srv/ctl
  `);
    socket.send('one', 5356, STACK);
    socket.send('two', 5356, STACK);
    await untilReadable(daemon, 'srv', 2);
    const table = await daemon.holdfast('status net/udp/connections --json');
    t.match(JSON.parse(table.stdout).at(-1), {
      name: 'srv',
      remote: null,
      unread_datagrams: 2,
      dropped_datagrams: 0,
    });
    await daemon.unmount();
    const check = await daemon.holdfast('check net.store');
    t.match(check, { status: 0, stderr: '' });
    t.match(check.stdout, /^udp_socket \d+ srv 10\.7\.0\.2:5356 - unread 2$/m);
    await daemon.mount(...IPV6);
    const { stdout } = await daemon.run(`
    stat -c %a net/udp/srv
    cat net/udp/srv/local net/udp/srv/sockopts/ttl
    cat net/udp/srv/peek; echo
    grep ^srv net/udp/connections
    exec 3< net/udp/srv/data
    dd bs=100 count=1 status=none <&3; echo
    dd bs=100 count=1 status=none <&3; echo
  `);
    const { port } = socket.address();
    t.equal(stdout, `700\n${STACK}:5356\n7\none\nsrv ${STACK}:5356 - 2 0 0:0\none\ntwo\n`);
    t.equal(await daemon.read('udp/srv/remote'), `${HOST}:${port}`);
  });
});
