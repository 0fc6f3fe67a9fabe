import { createHash } from 'node:crypto';
import t from 'tap';
import { IpAddress } from '../../tcp/address.ts';
import { EPHEMERAL_PORTS, ephemeralPort } from '../../tcp/ports.ts';

const secret = createHash('sha256').update('a fixed secret, so that no run differs').digest();
const local = IpAddress.fromIpv4(0x0a070002);
const remote = IpAddress.fromIpv4(0x0a070001);
const { first, last } = EPHEMERAL_PORTS;
const count = last - first + 1;

t.test('the counter walks through the whole range, each port once, and around', async (t) => {
  const seen = new Set<number>();
  let before: number | undefined;
  for (let counter = 0; counter < count; counter++) {
    const port = ephemeralPort(secret, local, remote, 80, counter, () => false)!;
    if (port < first || port > last) t.fail(`${port} is out of range`);
    if (before !== undefined && port !== (before === last ? first : before + 1)) t.fail(`${port}`);
    before = port;
    seen.add(port);
  }
  t.equal(seen.size, count);
});

t.test('a port in use is passed over', async (t) => {
  const port = ephemeralPort(secret, local, remote, 80, 5, () => false)!;
  const next = ephemeralPort(secret, local, remote, 80, 5, (candidate) => candidate === port);
  t.equal(next, port === last ? first : port + 1);
  t.equal(
    ephemeralPort(secret, local, remote, 80, 5, (candidate) => candidate !== first),
    first,
    'the only free one is found',
  );
});

t.test('when all are in use each was tried once', async (t) => {
  let tried = 0;
  const port = ephemeralPort(secret, local, remote, 80, 0, () => ++tried > 0);
  t.equal(port, undefined);
  t.equal(tried, count);
});

t.test('the search begins elsewhere for each remote end and each secret', async (t) => {
  const begin = (key: Uint8Array, port: number) =>
    ephemeralPort(key, local, remote, port, 0, () => false);
  const begins = new Set([80, 81, 82, 83].map((port) => begin(secret, port)));
  begins.add(begin(createHash('sha256').update('another').digest(), 80));
  t.equal(begins.size, 5);
});

t.test('another range', async (t) => {
  const range = { first: 7, last: 7 };
  t.equal(
    ephemeralPort(secret, local, remote, 80, 3, () => false, range),
    7,
  );
});
