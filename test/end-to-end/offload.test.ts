import '../namespace.ts';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Bulk, Gate, MIB } from './bulk.ts';
import { Daemon, HOST, HOST6, IPV6 } from './daemon.ts';

t.setTimeout(120_000);

const SIZE = 4 * MIB;

/** Bytes and packets that have crossed the interface, from the stack and to it. */
function crossed(): { out: [number, number]; in: [number, number] } {
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((candidate) => candidate.trimStart().startsWith('holdfast0:'))!;
  const counts = line.split(':')[1]!.trim().split(/\s+/).map(Number);
  return { out: [counts[0]!, counts[1]!], in: [counts[8]!, counts[9]!] };
}

/** Both ways, each bytes in a packet on average. */
async function transfer(t: Test, daemon: Daemon, name: string, host: string) {
  const gate = new Gate();
  gate.open(Infinity);
  const before = crossed();
  const bulk = new Bulk(daemon, name, SIZE, 1);
  const { outbound, inbound } = await bulk.run(7000, gate, host);
  const after = crossed();
  t.equal(outbound.got, outbound.wrote);
  t.equal(inbound.read, inbound.sent);
  const average = (way: 'out' | 'in') =>
    (after[way][0] - before[way][0]) / (after[way][1] - before[way][1]);
  return { out: average('out'), in: average('in') };
}

t.test('large segments cross the interface whole', async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);
  t.equal((await daemon.status()).get('offload'), 'on');
  for (const [name, host] of Object.entries({ ipv4: HOST, ipv6: HOST6 })) {
    const average = await transfer(t, daemon, name, host);
    t.ok(average.out > 1500, `${name}: ${average.out.toFixed(0)} bytes in a packet out`);
    t.ok(average.in > 1500, `${name}: ${average.in.toFixed(0)} bytes in a packet in`);
  }
});

t.test('with --offload off each is a packet, also where it was on before', async (t) => {
  const daemon = await Daemon.start(t, '--offload', 'off');
  t.equal((await daemon.status()).get('offload'), 'off');
  const average = await transfer(t, daemon, 'plain', HOST);
  t.ok(average.out <= 1500 && average.in <= 1500);
});
