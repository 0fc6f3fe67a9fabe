import t from 'tap';
import { IpAddress } from '../../tcp/address.ts';
import { IpReassembly } from '../../tcp/ip-reassembly.ts';
import type { IpFragment } from '../../tcp/wire/fragments.ts';

const MANY = 256;

function host(number: number): IpAddress {
  return IpAddress.fromIpv4(0x0a070000 + number);
}

function fragment(start: number, end: number, isLast = false): IpFragment {
  return { packet: new Uint8Array(20 + end - start), payloadAt: 20, start, end, isLast };
}

t.test('datagrams are told apart by source and label', async (t) => {
  const reassembly = new IpReassembly();
  for (const [source, label] of [
    [1, 'a'],
    [1, 'b'],
    [2, 'a'],
  ] as const) {
    t.equal(reassembly.arrives(host(source), label, fragment(0, 8), 0), undefined);
  }
  t.equal(reassembly.waiting, 3);
  const whole = reassembly.arrives(host(1), 'b', fragment(8, 10, true), 0);
  t.same(
    whole?.map(({ start, end }) => [start, end]),
    [
      [0, 8],
      [8, 10],
    ],
  );
  t.equal(reassembly.waiting, 2);
});

t.test('each is given up a minute after its first fragment, oldest first', async (t) => {
  const reassembly = new IpReassembly();
  t.equal(reassembly.deadline, Infinity);
  reassembly.arrives(host(1), 'a', fragment(0, 8), 1000);
  reassembly.arrives(host(2), 'b', fragment(8, 16), 2000);
  reassembly.arrives(host(1), 'a', fragment(8, 16), 3000);
  t.equal(reassembly.deadline, 61_000);
  t.equal(reassembly.takeExpired(60_999), undefined);
  t.match(reassembly.takeExpired(62_000), { source: host(1), first: { start: 0 } });
  t.match(reassembly.takeExpired(62_000), { source: host(2), first: undefined });
  t.equal(reassembly.takeExpired(1e9), undefined);
  t.same([reassembly.waiting, reassembly.size, reassembly.deadline], [0, 0, Infinity]);
});

t.test('whoever has most datagrams here loses first', async (t) => {
  const reassembly = new IpReassembly();
  reassembly.arrives(host(1), 'honest', fragment(0, 8), 0);
  for (let i = 0; i < 10 * MANY; i++) reassembly.arrives(host(2), `${i}`, fragment(0, 8), 1);
  t.equal(reassembly.waiting, MANY);
  t.ok(reassembly.arrives(host(1), 'honest', fragment(8, 16, true), 2), 'it is still there');
  const newest = `${10 * MANY - 1}`;
  t.ok(reassembly.arrives(host(2), newest, fragment(8, 16, true), 2), 'so is the newest');
  t.notOk(reassembly.arrives(host(2), '0', fragment(8, 16, true), 2), 'the oldest is not');
});

t.test('the bytes that wait are bounded, and counted right', async (t) => {
  const reassembly = new IpReassembly();
  let most = 0;
  for (let i = 0; i < 2000; i++) {
    reassembly.arrives(host(i % 7), `${i % 50}`, fragment(8 * i, 8 * i + 4000), i);
    most = Math.max(most, reassembly.size);
  }
  t.ok(most > 500_000 && most <= 1 << 20, `${most} bytes`);
  while (reassembly.takeExpired(1e9) !== undefined);
  t.equal(reassembly.size, 0);
});

t.test('a datagram has at most 128 fragments', async (t) => {
  const reassembly = new IpReassembly();
  const all = (count: number, label: string) => {
    let whole: readonly IpFragment[] | undefined;
    for (let i = 0; i < count; i++) {
      whole = reassembly.arrives(host(1), label, fragment(8 * i, 8 * i + 8, i === count - 1), 0);
    }
    return whole?.length;
  };
  t.equal(all(128, 'a'), 128);
  t.equal(all(129, 'b'), undefined);
  t.equal(reassembly.size, 0, 'its fragments are gone');
});

t.test('what lies beyond the end does not fill what is missing', async (t) => {
  const reassembly = new IpReassembly();
  reassembly.arrives(host(1), 'a', fragment(0, 8), 0);
  reassembly.arrives(host(1), 'a', fragment(16, 24, true), 0);
  t.equal(reassembly.arrives(host(1), 'a', fragment(24, 32), 0), undefined);
  t.equal(reassembly.size, 0);
});

t.test('a fragment that says something else than another one of its place is none', async (t) => {
  const other = fragment(0, 8);
  other.packet[20] = 1;
  for (const [what, second] of [
    ['other bytes', other],
    ['longer', fragment(0, 16)],
    ['an end within', fragment(0, 8, true)],
    ['an end before', fragment(8, 12, true)],
    ['overlaps by a byte', fragment(16, 25)],
    ['within', fragment(32, 40)],
    ['around', fragment(16, 64)],
  ] as const) {
    const reassembly = new IpReassembly();
    reassembly.arrives(host(1), 'a', fragment(0, 8), 0);
    reassembly.arrives(host(1), 'a', fragment(24, 48), 0);
    reassembly.arrives(host(1), 'a', second, 0);
    t.equal(reassembly.size, 0, what);
    for (const late of [
      fragment(0, 8),
      fragment(8, 24),
      fragment(24, 48),
      fragment(48, 50, true),
    ]) {
      t.equal(reassembly.arrives(host(1), 'a', late, 0), undefined);
    }
    t.match(reassembly.takeExpired(60_000), { first: undefined }, 'nothing to tell of');
  }
});
