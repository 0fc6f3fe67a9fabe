import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { formatEndpoint } from '../../tcp/address.ts';
import { Daemon, IPV6 } from './daemon.ts';
import { FAR, FAR_PORT, FAR6, farPeer } from './far-peer.ts';

const MTU = 1300;

/** The router tells nobody that a packet was too big. */
function silenceRouter(): void {
  execFileSync('nft', ['-f', '-'], {
    input: `table inet silence {
      chain output {
        type filter hook output priority 0
        icmp type destination-unreachable drop
        icmpv6 type packet-too-big drop
      }
    }`,
  });
}

const daemon = await Daemon.start(t, ...IPV6);
const hashOfNext = await farPeer(t, MTU);

for (const isSilent of [false, true]) {
  for (const [address, headers, safe] of [
    [FAR, 20 + 20 + 12, 1024],
    [FAR6, 40 + 20 + 12, 1280],
  ] as const) {
    const router = isSilent ? 'says nothing' : 'tells its MTU';
    t.test(`1 MiB to ${address} behind a router that ${router}`, async (t) => {
      if (isSilent) silenceRouter();
      const name = `far${safe}${isSilent ? 'silent' : 'told'}`;
      const wrote = await daemon.run(`
        head -c 1M /dev/urandom > text
        mkdir net/tcp/${name}
        echo '${formatEndpoint({ address, port: FAR_PORT })}' > net/tcp/${name}/connect
        cat text > net/tcp/${name}/data
        echo shutdown wr > net/tcp/${name}/ctl
        sha256sum < text
      `);
      t.match(wrote, { status: 0, stderr: '' });
      t.equal(await hashOfNext(), wrote.stdout.split(' ')[0]);
      const status = await daemon.read(`tcp/${name}/status`);
      const value = (name: string) =>
        Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(status)?.[1]);
      t.equal(value('MAX_SND_MSS') + headers, 1500);
      const found = value('SND.MSS') + headers;
      if (isSilent) t.ok(found > safe && found <= MTU, `found ${found}`);
      else t.equal(found, MTU);
    });
  }
}
