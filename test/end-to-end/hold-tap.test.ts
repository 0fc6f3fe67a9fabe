import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOLDFAST } from './daemon.ts';
import { established } from './established.ts';
import { ip, joinLan, makeLan, PEER, PEER6 } from './lan.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { outlived } from './outlived.ts';

/** The stack's, on the network that the peer is on. */
const STACK = '10.8.0.2';
const STACK6 = 'fd00:8::2';
const ADDRESSES = ['--address', `${STACK}/24`, '--address6', `${STACK6}/64`];

/** A host that has the stack's addresses for others to see, and a daemon behind them. */
async function front(host: NetworkNamespace): Promise<void> {
  await host.run(`
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.lan.proxy_ndp=1
    ip address add 10.8.0.11/24 dev lan
    ip address add fd00:8::11/64 dev lan nodad
    ip neighbor add proxy ${STACK} dev lan
    ip neighbor add proxy ${STACK6} dev lan
  `);
}

/** A host that passes on what comes to a TAP. */
async function bridge(host: NetworkNamespace): Promise<void> {
  await host.run(`
    ip link add name bridge type bridge
    ip link set dev lan master bridge
    ip tuntap add dev tap0 mode tap
    ip link set dev tap0 master bridge up
    ip link set dev bridge up
  `);
}

/** The link address that this host sends to when it sends to `address`. */
function neighbor(address: string): string | undefined {
  const words = ['-json', 'neighbor', 'show', address, 'dev', 'lan'];
  const [entry] = JSON.parse(execFileSync('ip', words, { encoding: 'utf8' }) || '[]') as {
    lladdr?: string;
  }[];
  return entry?.lladdr;
}

function linkAddress({ inside }: NetworkNamespace, name: string): string {
  const [program, ...words] = [...inside, 'ip', '-json', 'link', 'show', name];
  const [link] = JSON.parse(execFileSync(program!, words, { encoding: 'utf8' })) as [
    { address: string },
  ];
  return link.address;
}

/** Behind which interface of its bridge a host has seen a link address. */
function learned({ inside }: NetworkNamespace, address: string): string | undefined {
  const [program, ...words] = [...inside, 'bridge', '-json', 'fdb', 'show'];
  const entries = JSON.parse(execFileSync(program!, words, { encoding: 'utf8' })) as {
    mac: string;
    ifname: string;
  }[];
  return entries.find(({ mac }) => mac === address)?.ifname;
}

t.test(
  'the addresses come to another host on the same Ethernet, and peers find them there',
  async (t) => {
    makeLan();
    const [first, second] = [await joinLan(t, 'first'), await joinLan(t, 'second')];
    await front(first);
    await bridge(second);
    const daemon = Daemon.prepare(t);
    daemon.inside = first.inside;
    const options = [...ADDRESSES, '--host-address6', 'fd00:7::1/64', '--freeze'];
    const mount = async () => {
      await daemon.mount(...options);
      await first.run(`
      ip route replace ${STACK}/32 dev holdfast0
      ip route replace ${STACK6}/128 dev holdfast0
    `);
    };
    await mount();
    // More than the window takes.
    const text = Buffer.alloc(16 * 2 ** 20, 'text');
    const socket = await established(t, daemon, 'chat', 9000, PEER);
    const socket6 = await established(t, daemon, 'chat6', 9001, PEER6);
    socket.write(text);
    socket6.write(text);
    const front4 = linkAddress(first, 'lan');
    t.same([neighbor(STACK), neighbor(STACK6)], [front4, front4]);
    t.match(await daemon.unmount(), { status: 0, stderr: '' });

    const hold = daemon.shell(
      `exec ${second.inside.join(' ')} '${process.execPath}' '${HOLDFAST}' hold net.store --tap tap0 ${ADDRESSES.join(' ')}`,
    );
    await hold.printed(/holding 2 connections of .* on tap0/);
    await until(() => neighbor(STACK) !== front4 && neighbor(STACK6) !== front4);
    const own = neighbor(STACK)!;
    t.equal(neighbor(STACK6), own);
    t.equal(learned(second, own), 'tap0');
    await outlived(9000, 9001);
    // Who does not know asks.
    ip('neighbor flush dev lan');
    for (const address of [STACK, STACK6]) {
      execFileSync('bash', ['-c', `echo > /dev/udp/${address}/9`]);
      await until(() => neighbor(address) === own);
    }
    hold.process.kill('SIGTERM');
    t.match(await hold.ended, { status: 0, stderr: '' });

    writeFileSync('/proc/sys/net/ipv4/tcp_retries2', '15');
    ip('neighbor flush dev lan');
    await mount();
    writeFileSync(join(daemon.directory, 'sent'), text);
    for (const name of ['chat', 'chat6']) {
      // What it said when it began had no way yet.
      t.match(await daemon.run(`echo here > net/tcp/${name}/data`), { status: 0, stderr: '' });
      const reading = await daemon.run(`head -c ${text.length} net/tcp/${name}/data | cmp - sent`);
      t.same(reading, { status: 0, stdout: '', stderr: '' });
    }
  },
);

t.test('what makes no sense on Ethernet is refused', async (t) => {
  const daemon = Daemon.prepare(t);
  for (const option of ['--tun x', '--offload on', '--host-address 10.7.0.1/24'])
    t.match(await daemon.holdfast(`hold a --tap tap0 ${option}`), { status: 64, stderr: /--tap/ });
  t.match(await daemon.holdfast('hold a --tap a-name-too-long-for-it'), { status: 64 });
  t.match(await daemon.holdfast('hold a --tap tap0 --address6 fd00::1/64 --mtu 1000'), {
    status: 64,
  });
});
