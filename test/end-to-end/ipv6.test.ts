import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { Daemon, HOST6, IPV6, STACK, STACK6 } from './daemon.ts';
import { dial, readToEnd } from './peer.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

t.test('16 MiB each way at once, and the engine killed in the middle', async (t) => {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  const daemon = await Daemon.start(t, ...IPV6);
  countRsts();
  const size = 16 * MIB;
  const gate = new Gate();
  const bulk = new Bulk(daemon, 'bulk', size, SEED);
  const killing = (async () => {
    gate.open(size);
    await bulk.untilProgress(size / 2);
    await daemon.killEngine();
    gate.open(Number.POSITIVE_INFINITY);
  })();
  const [transferred] = await Promise.all([bulk.run(9000, gate, HOST6), killing]);
  cameThrough(t, transferred);
  t.same(rsts(), { received: 0, sent: 0 });
});

t.test('one listener accepts from both families', async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);
  await daemon.run(
    'mkdir net/tcp/srv; echo [::]:8080 > net/tcp/srv/bind; echo 4 > net/tcp/srv/listen',
  );
  for (const [address, shown] of [
    [STACK6, `[${STACK6}]:8080`],
    [STACK, `${STACK}:8080`],
  ] as const) {
    const socket = await dial(address, 8080);
    socket.end('ping');
    const served = await daemon.run(`
      c=$(cat net/tcp/srv/accept)
      cat net/tcp/$c/local
      cat net/tcp/$c/data
      echo pong > net/tcp/$c/data
      echo close > net/tcp/$c/ctl
    `);
    t.match(served, { status: 0, stdout: `${shown}\nping`, stderr: '' });
    t.equal((await readToEnd(socket)).toString(), 'pong\n');
    socket.destroy();
  }
});

t.test('nobody listens, or nobody is there', async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);
  execFileSync('nft', ['-f', '-'], {
    input: `table ip6 rejections {
      chain input {
        type filter hook input priority 0
        tcp dport 81 reject with icmpv6 type no-route
        tcp dport 82 reject with icmpv6 type addr-unreachable
        tcp dport 84 reject with icmpv6 type admin-prohibited
      }
    }`,
  });
  for (const [port, words] of [
    [9999, 'Connection refused'],
    [81, 'Network is unreachable'],
    [82, 'No route to host'],
    [84, 'Permission denied'],
  ] as const) {
    const { status, stderr } = await daemon.run(`
      mkdir -p net/tcp/chat
      echo [${HOST6}]:${port} > net/tcp/chat/connect
    `);
    t.equal(stderr.match(/: ([^:\n]*)$/m)?.[1], words, `port ${port}`);
    t.equal(status, 1);
  }
});

t.test("the host's own questions are answered", async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);
  const asked = await daemon.run(`python3 - <<'PROGRAM'
import socket
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.settimeout(10)
udp.connect(('${STACK6}', 9))
udp.send(b'hello')
try:
    udp.recv(1)
except ConnectionRefusedError as error:
    print(error.strerror)
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
raw.settimeout(10)
raw.sendto(bytes.fromhex('8000000012340007') + b'odd length!', ('${STACK6}', 0))
while True:
    message = raw.recv(100)
    if message[0] == 129:
        print(message[4:])
        break
PROGRAM`);
  t.match(asked, {
    status: 0,
    stdout: "Connection refused\nb'\\x124\\x00\\x07odd length!'\n",
    stderr: '',
  });
  t.match(await daemon.status(), new Map([['address6', STACK6]]));
});
