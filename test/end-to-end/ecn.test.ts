import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { Daemon, IPV6, STACK, STACK6 } from './daemon.ts';
import { dial, readToEnd } from './peer.ts';

const MIB = 1 << 20;

/** A router on the TUN, in both ways: it marks every 20th packet that is ECN-capable, and counts what tells of marks. */
const ROUTER = `
table inet router {
  counter stack_echoes { }
  counter stack_reduces { }
  counter host_echoes { }
  counter host_reduces { }
  chain from_stack {
    type filter hook prerouting priority raw
    tcp sport 8080 tcp flags & (syn | ecn) == ecn counter name stack_echoes
    tcp sport 8080 tcp flags & (syn | cwr) == cwr counter name stack_reduces
    tcp sport 8080 ip ecn ect0 numgen inc mod 20 == 0 ip ecn set ce
    tcp sport 8080 ip6 ecn ect0 numgen inc mod 20 == 0 ip6 ecn set ce
  }
  chain to_stack {
    type filter hook postrouting priority 0
    tcp dport 8080 tcp flags & (syn | ecn) == ecn counter name host_echoes
    tcp dport 8080 tcp flags & (syn | cwr) == cwr counter name host_reduces
    tcp dport 8080 ip ecn ect0 numgen inc mod 20 == 0 ip ecn set ce
    tcp dport 8080 ip6 ecn ect0 numgen inc mod 20 == 0 ip6 ecn set ce
  }
}
`;

function counters(): Map<string, number> {
  const output = execFileSync('nft', ['-j', 'list', 'counters', 'table', 'inet', 'router']);
  const { nftables } = JSON.parse(output.toString()) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  return new Map(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
}

// Per network namespace, and for IPv6 too: ask, and agree when asked.
writeFileSync('/proc/sys/net/ipv4/tcp_ecn', '1');

for (const [version, stack] of [
  ['IPv4', STACK],
  ['IPv6', STACK6],
] as const) {
  t.test(
    `${version}: a kernel that asks for ECN gets it, and marks slow both sides down`,
    async (t) => {
      const daemon = await Daemon.start(t, ...IPV6);
      execFileSync('nft', ['-f', '-'], { input: ROUTER });
      t.teardown(() => execFileSync('nft', ['delete', 'table', 'inet', 'router']));
      await daemon.run(
        'mkdir net/tcp/srv; echo [::]:8080 > net/tcp/srv/bind; echo 4 > net/tcp/srv/listen',
      );
      const served = daemon.run(`
      c=$(cat net/tcp/srv/accept)
      cat net/tcp/$c/data > copy
      cat copy > net/tcp/$c/data
      echo close > net/tcp/$c/ctl
    `);
      const socket = await dial(stack, 8080);
      const shown = execFileSync('ss', ['-tnioH', 'dport = :8080']).toString();
      t.match(shown, /\becn\b/, shown);

      const text = Buffer.alloc(8 * MIB, 'Explicit Congestion Notification. ');
      socket.end(text);
      const echoed = await readToEnd(socket);
      t.ok(echoed.equals(text), `${echoed.length} bytes came back`);
      t.match(await served, { status: 0, stderr: '' });
      socket.destroy();
      for (const [name, packets] of counters()) t.ok(packets > 0, `${name}: ${packets}`);
    },
  );
}
