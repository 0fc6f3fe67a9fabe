import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';

/** Ports at which the host says with ICMP that there is no way on, by the name nft(8) has for it. */
const REJECTIONS = [
  { port: 81, reason: 'net-unreachable' },
  { port: 82, reason: 'host-unreachable' },
  { port: 83, reason: 'port-unreachable' },
  { port: 84, reason: 'admin-prohibited' },
];

t.before(() => {
  execFileSync('nft', ['-f', '-'], {
    input: `table ip rejections {
      chain input {
        type filter hook input priority 0
        ${REJECTIONS.map(({ port, reason }) => `tcp dport ${port} reject with icmp type ${reason}`).join('\n')}
      }
    }`,
  });
});

t.test('nobody listens', async (t) => {
  const daemon = await Daemon.start(t);
  const { status, stderr } = await daemon.run(`
    mkdir net/tcp/chat
    echo ${HOST}:9999 > net/tcp/chat/connect
  `);
  t.match(stderr, /: Connection refused$/m);
  t.equal(status, 1);
  t.match(await daemon.read('tcp/chat/error'), /^ECONNREFUSED Connection refused$/);
});

for (const { port, reason } of REJECTIONS) {
  t.test(`${reason} is what connect(2) would give`, async (t) => {
    const daemon = await Daemon.start(t);
    // The host's own TCP, over lo, through the same rule.
    const kernel = await daemon.run(`echo > /dev/tcp/127.0.0.1/${port}`);
    const expected = kernel.stderr.match(/connect: (.*)$/m)?.[1];
    t.ok(expected, kernel.stderr);
    const { status, stderr } = await daemon.run(`
      mkdir net/tcp/chat
      echo ${HOST}:${port} > net/tcp/chat/connect
    `);
    t.equal(stderr.match(/: ([^:\n]*)$/m)?.[1], expected);
    t.equal(status, 1);
  });
}
