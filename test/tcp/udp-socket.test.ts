import t from 'tap';
import { parseAddress } from '../../tcp/address.ts';
import { EPHEMERAL_PORTS } from '../../tcp/ports.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { emitIcmp, IcmpMessage, parseIcmp } from '../../tcp/wire/icmp.ts';
import { ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import { ICMPV6 } from '../../tcp/wire/icmpv6.ts';
import { packet } from './forge.ts';
import { pattern } from './transfer.ts';
import { readUdp, writeUdp } from './udp-datagram.ts';
import {
  ADDRESS,
  ADDRESS6,
  arriveAtB,
  Capture,
  ipIn,
  type Station,
  WirePair,
} from './wire-pair.ts';

const [TCP, UDP] = [6, 17];
const [EHOSTUNREACH, ECONNREFUSED] = [113, 111];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Both versions: addresses of A and B. */
const VERSIONS = [ADDRESS, ADDRESS6];

function bound({ stack: { udp } }: Station, port: number, address = '::'): UdpPcb {
  const pcb = udp.create();
  udp.bind(pcb, { address, port });
  return pcb;
}

function send(wire: WirePair, side: 'a' | 'b', pcb: UdpPcb, text: string | Uint8Array): boolean {
  const payload = typeof text === 'string' ? encoder.encode(text) : text;
  return wire[side].stack.udp.send(pcb, payload, wire.now);
}

/** Sends to `address`, whatever was said before. */
function sendTo(
  wire: WirePair,
  side: 'a' | 'b',
  pcb: UdpPcb,
  text: string,
  address: string,
  port: number,
): void {
  const to = { address: parseAddress(address)!, port };
  wire[side].stack.udp.send(pcb, encoder.encode(text), wire.now, to);
}

/** The text of the oldest datagram; undefined when there is none. */
function receive({ stack: { udp } }: Station, pcb: UdpPcb, size = 70_000): string | undefined {
  const target = new Uint8Array(size);
  const datagram = udp.receive(pcb, target);
  return datagram && decoder.decode(target.subarray(0, Math.min(size, datagram.length)));
}

/** A datagram from A on its way to B. */
function forged(
  payload: Uint8Array,
  ends: { sourcePort?: number; destinationPort?: number } = {},
  { a: source, b: destination }: (typeof VERSIONS)[number] = ADDRESS,
): Uint8Array {
  const { sourcePort = 1000, destinationPort = 53 } = ends;
  const udp = writeUdp({ source, sourcePort, destination, destinationPort, payload });
  return packet(source, destination, UDP, udp);
}

for (const addresses of VERSIONS) {
  t.test(`there and back, between ${addresses.a} and ${addresses.b}`, async (t) => {
    const wire = new WirePair(1);
    const server = bound(wire.b, 53);
    const client = wire.a.stack.udp.create();
    wire.a.stack.udp.setDestination(client, { address: addresses.b, port: 53 });
    for (const text of ['one', '', 'three']) send(wire, 'a', client, text);
    wire.pass(10);
    const { at } = ipIn(wire.sent[0]!.bytes);
    const first = readUdp(wire.sent[0]!.bytes, at, addresses.a, addresses.b);
    t.match(first, { destinationPort: 53, payload: encoder.encode('one') });
    t.ok(first.sourcePort >= EPHEMERAL_PORTS.first && first.sourcePort <= EPHEMERAL_PORTS.last);
    t.equal(client.LOCAL_PORT, first.sourcePort);
    t.equal(receive(wire.b, server), 'one');
    t.equal(receive(wire.b, server), '', 'one with nothing in it is one too');
    t.equal(receive(wire.b, server), 'three');
    t.equal(receive(wire.b, server), undefined);
    t.same(server.source, { address: addresses.a, port: first.sourcePort });
    send(wire, 'b', server, 'answer');
    wire.pass(10);
    t.equal(receive(wire.a, client), 'answer');
    t.same(client.source, { address: addresses.b, port: 53 });
    t.match(wire.a.stack.counters, { UdpOutDatagrams: 3, UdpInDatagrams: 1, UdpNoPorts: 0 });
  });

  t.test(`what is too long for a packet goes in fragments, to ${addresses.b}`, async (t) => {
    const wire = new WirePair(2);
    const server = bound(wire.b, 53);
    const client = bound(wire.a, 0);
    wire.a.stack.udp.connect(client, { address: addresses.b, port: 53 });
    const most = addresses === ADDRESS ? 65_507 : 65_527;
    for (const length of [1452, 1453, 1472, 1473, 9000, most]) {
      const payload = pattern(length, length);
      t.ok(send(wire, 'a', client, payload));
      wire.pass(10);
      const target = new Uint8Array(70_000);
      t.equal(wire.b.stack.udp.receive(server, target)?.length, length);
      t.equal(Buffer.compare(payload, target.subarray(0, length)), 0);
    }
    t.ok(wire.sent.every(({ bytes }) => bytes.length <= 1500));
    t.throws(() => send(wire, 'a', client, new Uint8Array(most + 1)), { name: 'EMSGSIZE' });
  });

  t.test(`who has a peer hears nobody else, from ${addresses.a}`, async (t) => {
    const wire = new WirePair(3);
    const one = bound(wire.b, 53);
    wire.b.stack.udp.connect(one, { address: addresses.a, port: 1000 });
    t.same(one.local, { address: addresses.b, port: 53 });
    const [answer] = arriveAtB(wire, forged(encoder.encode('no'), { sourcePort: 1001 }, addresses));
    t.ok(answer, 'others are told that nobody is there');
    arriveAtB(wire, forged(encoder.encode('yes'), {}, addresses));
    t.equal(receive(wire.b, one), 'yes');
    t.equal(receive(wire.b, one), undefined);
    t.equal(wire.b.stack.counters.UdpNoPorts, 1);
  });

  t.test(
    `a closed port is told to who has one peer, and only once, at ${addresses.b}`,
    async (t) => {
      const wire = new WirePair(4);
      const { udp } = wire.a.stack;
      const client = udp.create();
      udp.connect(client, { address: addresses.b, port: 9 });
      const other = udp.create();
      send(wire, 'a', client, 'anybody?');
      sendTo(wire, 'a', other, 'anybody?', addresses.b, 9);
      wire.pass(20);
      t.equal(client.ERROR, ECONNREFUSED);
      t.equal(other.ERROR, 0, 'who may send to anybody cannot know whom it is about');
      t.throws(() => receive(wire.a, client), { name: 'ECONNREFUSED' });
      t.equal(receive(wire.a, client), undefined);
      send(wire, 'a', client, 'again');
      wire.pass(20);
      t.throws(() => send(wire, 'a', client, 'and again'), { name: 'ECONNREFUSED' });
      t.ok(send(wire, 'a', client, 'and again'));
    },
  );

  t.test(`to ourselves, ${addresses.b}`, async (t) => {
    const wire = new WirePair(5);
    const server = bound(wire.b, 53);
    const client = wire.b.stack.udp.create();
    const text = 'x'.repeat(4000);
    sendTo(wire, 'b', client, text, addresses.b, 53);
    wire.b.turn();
    t.equal(receive(wire.b, server), text);
    t.equal(wire.sent.length, 0);
  });
}

t.test('calls that cannot be done', async (t) => {
  const wire = new WirePair(6, { b: { mtu: 1000 } });
  const { udp } = wire.a.stack;
  const one = bound(wire.a, 53);
  t.throws(() => udp.bind(one, { address: '::', port: 54 }), { name: 'EINVAL' });
  t.throws(() => bound(wire.a, 53), { name: 'EADDRINUSE' });
  t.throws(() => bound(wire.a, 53, ADDRESS.a), { name: 'EADDRINUSE' });
  t.throws(() => bound(wire.a, 54, '10.7.0.77'), { name: 'EADDRNOTAVAIL' });
  t.throws(() => bound(wire.a, 54, 'nowhere'), { name: 'EINVAL' });
  t.throws(() => bound(wire.a, 65536), { name: 'EINVAL' });
  t.throws(() => send(wire, 'a', one, 'to whom?'), { name: 'EDESTADDRREQ' });
  for (const address of ['10.7.0.255', '224.0.0.1', '0.0.0.0', 'ff02::1', '::1']) {
    t.throws(() => udp.connect(one, { address, port: 9 }), { name: 'ENETUNREACH' }, address);
    t.throws(() => udp.setDestination(one, { address, port: 9 }), { name: 'ENETUNREACH' });
  }
  t.throws(() => udp.connect(one, { address: ADDRESS.b, port: 0 }), { name: 'EINVAL' });
  t.equal(one.IS_CONNECTED, 0);
  t.throws(() => udp.connect(bound(wire.a, 0, ADDRESS.a), { address: ADDRESS6.b, port: 9 }), {
    name: 'EAFNOSUPPORT',
  });
  t.throws(() => sendTo(wire, 'b', wire.b.stack.udp.create(), 'no IPv6 here', ADDRESS6.a, 9), {
    name: 'ENETUNREACH',
  });
  udp.connect(one, { address: ADDRESS.b, port: 9 });
  t.throws(() => udp.setDestination(one, { address: ADDRESS.b, port: 9 }), { name: 'EISCONN' });
  const to = { address: parseAddress(ADDRESS.b)!, port: 9, from: parseAddress('10.7.0.77')! };
  t.throws(() => udp.send(one, new Uint8Array(1), wire.now, to), { name: 'EADDRNOTAVAIL' });
});

t.test('where datagrams go that say nothing: where was said, or else back', async (t) => {
  const wire = new WirePair(7);
  const server = bound(wire.b, 53);
  const { udp } = wire.b.stack;
  const destinations = () => {
    const before = wire.sent.length;
    send(wire, 'b', server, 'there');
    wire.b.turn();
    return wire.sent.slice(before).map(({ bytes }) => {
      const udpOf = readUdp(bytes, 20, ADDRESS.b, ADDRESS.a);
      return udpOf.destinationPort;
    });
  };
  arriveAtB(wire, forged(encoder.encode('hello'), { sourcePort: 1000 }));
  receive(wire.b, server);
  t.same(destinations(), [1000]);
  udp.setDestination(server, { address: ADDRESS.a, port: 2000 });
  arriveAtB(wire, forged(encoder.encode('hello'), { sourcePort: 1001 }));
  receive(wire.b, server);
  t.same(server.source, { address: ADDRESS.a, port: 1001 });
  t.same(destinations(), [2000], 'a stranger does not change what was said');
  udp.setDestination(server, undefined);
  t.same(destinations(), [1001]);
  arriveAtB(wire, forged(encoder.encode('hello'), { sourcePort: 0 }));
  receive(wire.b, server);
  t.throws(() => send(wire, 'b', server, 'to whom?'), { name: 'EDESTADDRREQ' });
});

t.test('a stretch that the reader has no room for is lost, and a look takes nothing', async (t) => {
  const wire = new WirePair(8);
  const server = bound(wire.b, 53);
  const { udp } = wire.b.stack;
  arriveAtB(wire, forged(encoder.encode('0123456789')), forged(encoder.encode('next')));
  const target = new Uint8Array(4);
  t.equal(udp.peek(server, 8, target), 2);
  t.equal(decoder.decode(target.subarray(0, 2)), '89');
  t.equal(udp.peek(server, 10, target), 0);
  t.equal(udp.peek(server, 11, target), 0);
  t.equal(receive(wire.b, server, 4), '0123');
  t.equal(udp.peek(server, 11, target), 0, 'the last one has an end too');
  t.equal(receive(wire.b, server), 'next');
  t.equal(udp.peek(server, 0, target), undefined);
});

t.test('what finds no room is dropped, and counted', async (t) => {
  const wire = new WirePair(9);
  const server = bound(wire.b, 53);
  wire.b.stack.udp.setOption(server, 'RCVBUF', 4096);
  for (let i = 0; i < 10; i++) arriveAtB(wire, forged(pattern(1000, i)));
  t.equal(server.DROPS, 7);
  t.match(wire.b.stack.counters, { UdpRcvbufErrors: 7, UdpInDatagrams: 3 });
  for (let i = 0; i < 3; i++) t.equal(receive(wire.b, server)?.length !== undefined, true);
  arriveAtB(wire, forged(pattern(1000, 0)));
  t.not(receive(wire.b, server), undefined);
});

t.test('all sockets together keep to the memory of the stack', async (t) => {
  const memory = 1 << 20;
  const wire = new WirePair(10, { b: { memory } });
  const servers = Array.from({ length: 20 }, (_, i) => bound(wire.b, 100 + i));
  for (let i = 0; i < 5000; i++) {
    const destinationPort = 100 + (i % servers.length);
    arriveAtB(wire, forged(new Uint8Array(1400), { destinationPort }));
    if (wire.b.stack.memoryUsed > memory) t.fail(`${wire.b.stack.memoryUsed} bytes`);
  }
  t.ok(
    servers.every(({ isReadable }) => isReadable),
    'everybody has got something',
  );
  for (const server of servers) wire.b.stack.udp.close(server);
  t.equal(wire.b.stack.memoryUsed, 0);
});

t.test('on a full disk nothing is taken that could not be kept', async (t) => {
  const wire = new WirePair(11);
  const server = bound(wire.b, 53);
  wire.b.stack.hasRoom = false;
  arriveAtB(wire, forged(new Uint8Array(10)));
  t.equal(server.isReadable, false);
  t.equal(server.DROPS, 1);
  wire.b.stack.hasRoom = true;
  arriveAtB(wire, forged(new Uint8Array(10)));
  t.equal(server.isReadable, true);
});

t.test('too much that waits to leave makes the sender wait', async (t) => {
  const wire = new WirePair(12);
  const { stack, egress } = wire.b;
  const client = stack.udp.create();
  stack.udp.connect(client, { address: ADDRESS.a, port: 9 });
  stack.udp.setOption(client, 'SNDBUF', 4096);
  egress.room = 0;
  stack.transmit(wire.now, egress);
  let sent = 0;
  while (send(wire, 'b', client, new Uint8Array(1000))) sent++;
  t.equal(sent, 4);
  t.equal(client.isWritable, false);
  stack.takeChanged();
  egress.room = Infinity;
  t.ok(stack.transmit(wire.now, egress));
  t.ok(client.isWritable);
  t.ok(stack.takeChanged().includes(client), 'and is told when it may go on');
  t.equal(client.departing, 0);
});

t.test('a datagram that waits for the disk holds up nobody else', async (t) => {
  const wire = new WirePair(21);
  const { stack, egress } = wire.b;
  const durable = stack.udp.create();
  stack.udp.setOption(durable, 'DURABILITY', 1);
  sendTo(wire, 'b', durable, 'waits', ADDRESS.a, 9);
  sendTo(wire, 'b', stack.udp.create(), 'does not', ADDRESS.a, 9);
  wire.b.connect(80);
  const power = new Capture(() => t.fail('there was no room'));
  power.room = 0;
  t.notOk(stack.transmit(wire.now, egress, power));
  t.same(
    wire.sent.map(({ bytes }) => bytes[9]),
    [UDP, TCP],
    'a datagram and a SYN',
  );
  const left: Uint8Array[] = [];
  t.ok(stack.transmit(wire.now, egress, new Capture((bytes) => left.push(bytes))));
  t.equal(left.length, 1);
});

t.test('what was sent leaves although the socket is closed', async (t) => {
  const wire = new WirePair(13);
  const server = bound(wire.b, 53);
  const client = wire.a.stack.udp.create();
  sendTo(wire, 'a', client, 'farewell', ADDRESS.b, 53);
  wire.a.stack.udp.close(client);
  wire.pass(10);
  t.equal(receive(wire.b, server), 'farewell');
  t.equal(wire.a.stack.udp.pcbs.size, 0);
  t.ok(bound(wire.a, 54));
});

t.test('a broken datagram is dropped without a word', async (t) => {
  const wire = new WirePair(14);
  bound(wire.b, 53);
  for (const destinationPort of [53, 54]) {
    const bytes = forged(new Uint8Array(10), { destinationPort });
    bytes[30]! ^= 1;
    t.same(arriveAtB(wire, bytes), []);
  }
  t.equal(wire.b.stack.counters.UdpInErrors, 2);
});

t.test(
  'a path with a smaller MTU is told over IPv6, and must be told by who knows a port',
  async (t) => {
    const wire = new WirePair(15);
    const client = bound(wire.b, 1234);
    const lengths = () => {
      const before = wire.sent.length;
      sendTo(wire, 'b', client, 'x'.repeat(1400), ADDRESS6.a, 9);
      wire.b.turn();
      return wire.sent.slice(before).map(({ bytes }) => bytes.length);
    };
    t.same(lengths(), [1448]);
    const quoted = wire.sent.at(-1)!.bytes;
    const tooBig = (mtu: number, about: Uint8Array) => {
      const bytes = new Uint8Array(8 + about.length);
      const [from, to] = [parseAddress(ADDRESS6.a)!, parseAddress(ADDRESS6.b)!];
      const sum = ICMPV6.pseudoHeaderSum(from, to, bytes.length);
      emitIcmp(bytes, new DataView(bytes.buffer), 0, 2, 0, mtu, about, 0, about.length, sum);
      return packet(ADDRESS6.a, ADDRESS6.b, 58, bytes);
    };
    const other = quoted.slice();
    other[41]! ^= 1;
    arriveAtB(wire, tooBig(1300, other));
    arriveAtB(wire, tooBig(1279, quoted));
    t.same(lengths(), [1448]);
    arriveAtB(wire, tooBig(1300, quoted));
    const cut = lengths();
    t.equal(cut.length, 2);
    t.ok(Math.max(...cut) <= 1300);
    wire.b.stack.udp.connect(client, { address: ADDRESS6.a, port: 9 });
    arriveAtB(wire, tooBig(1290, quoted));
    t.equal(client.ERROR, 0);
  },
);

t.test('over IPv4, routers may cut datagrams, and each has a number', async (t) => {
  const wire = new WirePair(16);
  const client = bound(wire.b, 1234);
  const numbers = new Set<number>();
  for (let i = 0; i < 100; i++) {
    sendTo(wire, 'b', client, 'x', ADDRESS.a, 9);
    wire.b.turn();
    const view = new DataView(wire.sent.at(-1)!.bytes.buffer);
    t.equal(view.getUint16(6), 0, 'neither DF nor MF');
    numbers.add(view.getUint16(4));
  }
  t.equal(numbers.size, 100);
});

t.test('an error of another kind than a closed port', async (t) => {
  const wire = new WirePair(17);
  const client = bound(wire.b, 1234);
  wire.b.stack.udp.connect(client, { address: ADDRESS.a, port: 9 });
  send(wire, 'b', client, 'x');
  wire.b.turn();
  const quoted = wire.sent.at(-1)!.bytes;
  const unreachable = (code: number, length: number) => {
    const bytes = new Uint8Array(8 + length);
    const type = ICMPV4.destinationUnreachable;
    emitIcmp(bytes, new DataView(bytes.buffer), 0, type, code, 0, quoted, 0, length, 0);
    return packet('10.7.0.254', ADDRESS.b, 1, bytes);
  };
  arriveAtB(wire, unreachable(1, 23), unreachable(4, 28));
  t.equal(client.ERROR, 0, 'cut short before the ports, or of the MTU');
  arriveAtB(wire, unreachable(1, 24));
  t.equal(client.ERROR, EHOSTUNREACH);
});

t.test('a port that is closed is said to be, with the datagram', async (t) => {
  const wire = new WirePair(18);
  const datagram = forged(encoder.encode('anybody?'), { destinationPort: 9 });
  const [answer] = arriveAtB(wire, datagram);
  const message = new IcmpMessage();
  t.ok(parseIcmp(new DataView(answer!.buffer), 20, answer!.length - 20, 0, message));
  t.match(message, { type: ICMPV4.destinationUnreachable, code: 3 });
  t.same(answer!.subarray(28), datagram);
});

t.test('an option is kept within what it may be', async (t) => {
  const wire = new WirePair(19);
  const { udp } = wire.b.stack;
  const pcb = udp.create();
  t.equal(udp.getOption(pcb, 'TTL'), 64);
  t.equal(udp.getOption(pcb, 'RCVBUF'), 1 << 20);
  udp.setOption(pcb, 'TTL', 3);
  udp.setOption(pcb, 'TOS', 0xb8);
  for (const [name, value] of [
    ['TTL', 0],
    ['TTL', 256],
    ['TOS', 1],
    ['RCVBUF', 1],
    ['DURABILITY', 2],
  ] as const) {
    t.throws(() => udp.setOption(pcb, name, value), { name: 'EINVAL' });
  }
  sendTo(wire, 'b', pcb, 'x', ADDRESS.a, 9);
  wire.b.turn();
  t.match(wire.sent.at(-1)!.bytes, { 8: 3, 1: 0xb8 });
  t.throws(() => udp.setOption(pcb, 'V6ONLY', 1), { name: 'EINVAL' });
});

t.test('an IPv6-only socket shares its port with one of IPv4', async (t) => {
  const wire = new WirePair(20);
  const { udp } = wire.b.stack;
  const six = udp.create();
  udp.setOption(six, 'V6ONLY', 1);
  udp.bind(six, { address: '::', port: 53 });
  const four = bound(wire.b, 53, '0.0.0.0');
  arriveAtB(wire, forged(encoder.encode('4')), forged(encoder.encode('6'), {}, ADDRESS6));
  t.equal(receive(wire.b, four), '4');
  t.equal(receive(wire.b, six), '6');
});
