import t from 'tap';
import {
  formatAddress,
  formatEndpoint,
  formatIpv4,
  IpAddress,
  parseAddress,
  parseCidr,
  parseEndpoint,
} from '../../tcp/address.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

t.test('IPv4 text is a strict dotted quad', async (t) => {
  t.equal(parseAddress('10.7.0.1')?.ipv4, 0x0a070001);
  t.equal(parseAddress('10.7.0.1')?.isIpv4, true);
  t.equal(parseAddress('255.255.255.255')?.ipv4, 0xffffffff);
  t.equal(parseAddress('0.0.0.0')?.isUnspecified, true);
  const wrong = ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '0x1.2.3.4', '1.2.3.4 '];
  for (const text of [
    ...wrong,
    '1.2.3.',
    '1..3.4',
    '-1.2.3.4',
    '+1.2.3.4',
    '1e1.2.3.4',
    '٣.2.3.4',
  ]) {
    t.equal(parseAddress(text), undefined, JSON.stringify(text));
  }
});

t.test('every IPv4 address is read as it was written', async (t) => {
  for (let round = 0; round < 1000; round++) {
    const ipv4 = random.u32();
    const address = IpAddress.fromIpv4(ipv4);
    if (parseAddress(formatAddress(address))?.ipv4 !== ipv4) t.fail(formatAddress(address));
    if (formatIpv4(ipv4) !== formatAddress(address)) t.fail(formatIpv4(ipv4));
  }
  t.pass('in every round');
});

t.test('IPv6 text comes out as RFC 5952 wants it', async (t) => {
  const canonical = {
    // RFC 5952 section 4: leading zeros, the longest run, the first of equal runs, not for one group, lower case.
    '2001:0db8::0001': '2001:db8::1',
    '2001:db8:0:0:0:0:2:1': '2001:db8::2:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:DB8::AAAA': '2001:db8::aaaa',
    '::': '::',
    '::1': '::1',
    'fe80::': 'fe80::',
    // RFC 4291 section 2.5.5.2: IPv4-mapped is IPv4.
    '::ffff:10.7.0.1': '10.7.0.1',
    '::ffff:a07:1': '10.7.0.1',
    '64:ff9b::10.7.0.1': '64:ff9b::a07:1',
  };
  for (const [text, expected] of Object.entries(canonical)) {
    const address = parseAddress(text);
    t.equal(address && formatAddress(address), expected, text);
  }
  for (const text of [
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    'fe80::1%lo',
    'g::',
  ]) {
    t.equal(parseAddress(text), undefined, text);
  }
});

t.test('every IPv6 address is read as it was written', async (t) => {
  const word = () =>
    random.chance(0.4) ? 0 : random.chance(0.3) ? random.below(0x10000) : random.u32();
  for (let round = 0; round < 2000; round++) {
    const address = new IpAddress(word(), word(), word(), word());
    const again = parseAddress(formatAddress(address));
    if (!again?.equals(address)) t.fail(formatAddress(address));
  }
  t.pass('in every round');
});

t.test('an endpoint is written in any of four ways', async (t) => {
  const expected = { address: '10.7.0.1', port: 9000 };
  for (const text of ['10.7.0.1:9000', '10.7.0.1!9000', 'tcp!10.7.0.1!9000']) {
    t.same(parseEndpoint(text), expected, text);
  }
  const v6 = { address: '2001:db8::1', port: 80 };
  for (const text of [
    '[2001:db8::1]:80',
    '2001:db8::1!80',
    'tcp!2001:db8::1!80',
    'tcp![2001:DB8::1]!80',
  ]) {
    t.same(parseEndpoint(text), v6, text);
  }
});

t.test('a host left out is the unspecified one', async (t) => {
  for (const text of [':80', '*!80', 'tcp!*!80', '80', '*:80', '!80']) {
    t.same(parseEndpoint(text), { address: '::', port: 80 }, text);
  }
});

t.test('ports are decimal, 0 to 65535', async (t) => {
  t.equal(parseEndpoint('1.2.3.4:0')?.port, 0);
  t.equal(parseEndpoint('1.2.3.4:65535')?.port, 65535);
  for (const port of ['65536', '-1', '+1', '0x50', '1e3', '', ' 80', '80 ', '80\n', '123456']) {
    t.equal(parseEndpoint(`1.2.3.4:${port}`), undefined, JSON.stringify(port));
    t.equal(parseEndpoint(`1.2.3.4!${port}`), undefined, JSON.stringify(port));
  }
});

t.test('what is no endpoint is refused', async (t) => {
  const wrong = [
    '',
    'host:80',
    '2001:db8::1:80',
    '[10.7.0.1]:80',
    '[::1]',
    '[::1:80',
    'udp!1.2.3.4!80',
  ];
  for (const text of [...wrong, 'tcp!80', '1.2.3.4', '1.2.3.4:80:80', '1.2.3.4!80!80', 'tcp!']) {
    t.equal(parseEndpoint(text), undefined, JSON.stringify(text));
  }
});

t.test('endpoints are printed with brackets where needed', async (t) => {
  t.equal(formatEndpoint({ address: '10.7.0.1', port: 9000 }), '10.7.0.1:9000');
  t.equal(formatEndpoint({ address: '::1', port: 9000 }), '[::1]:9000');
});

t.test('a network is an address and a prefix length', async (t) => {
  t.same(parseCidr('10.7.0.2/24'), { address: IpAddress.fromIpv4(0x0a070002), prefix: 24 });
  t.equal(parseCidr('0.0.0.0/0')?.prefix, 0);
  t.equal(parseCidr('2001:db8::/128')?.prefix, 128);
  for (const text of [
    '10.7.0.2',
    '10.7.0.2/',
    '10.7.0.2/33',
    '::/129',
    '/24',
    '10.7.0.2/24/24',
    '10.7.0.2/-1',
  ]) {
    t.equal(parseCidr(text), undefined, text);
  }
});
