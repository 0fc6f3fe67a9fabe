import t from 'tap';
import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { emitIcmp, IcmpMessage, parseIcmp } from '../../tcp/wire/icmp.ts';
import { ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import { Ipv4Header, PROTOCOL_ICMP, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import { packet } from './forge.ts';
import { writeUdp } from './udp-datagram.ts';
import { ADDRESS, arriveAtB, WirePair } from './wire-pair.ts';

const UDP = 17;

function icmpIn(bytes: Uint8Array): { ip: Ipv4Header; message: IcmpMessage } {
  const view = new DataView(bytes.buffer);
  const ip = new Ipv4Header();
  const message = new IcmpMessage();
  if (!parseIpv4(view, 0, bytes.length, ip)) throw new Error('no IPv4 packet');
  if (!parseIcmp(view, 20, bytes.length - 20, 0, message)) throw new Error('no ICMP message');
  return { ip, message };
}

function echo(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(data, 8);
  view.setUint8(0, ICMPV4.echoRequest);
  view.setUint16(4, 77);
  view.setUint16(6, 3);
  view.setUint16(2, finishChecksum(onesComplementSum(view, 0, bytes.length)));
  return bytes;
}

t.test('an echo is answered with the same data (RFC 1122 section 3.2.2.6)', async (t) => {
  const wire = new WirePair(1);
  const data = Uint8Array.from({ length: 57 }, (_, i) => i);
  const request = packet(ADDRESS.a, ADDRESS.b, PROTOCOL_ICMP, echo(data));
  const [reply] = arriveAtB(wire, request);
  const { ip, message } = icmpIn(reply!);
  t.equal(ip.destination.ipv4, 0x0a070001);
  t.match(message, { type: ICMPV4.echoReply, parameter: 77 * 0x10000 + 3 });
  t.same(reply!.subarray(28), data);
});

t.test('what is not for us is left alone', async (t) => {
  const wire = new WirePair(2);
  const data = new Uint8Array(8);
  for (const [from, to] of [
    [ADDRESS.a, '10.7.0.3'],
    [ADDRESS.a, '10.7.0.255'],
    [ADDRESS.a, '224.0.0.1'],
    ['224.0.0.1', ADDRESS.b],
    ['255.255.255.255', ADDRESS.b],
    ['10.7.0.255', ADDRESS.b],
    ['0.0.0.0', ADDRESS.b],
  ] as const) {
    t.same(arriveAtB(wire, packet(from, to, PROTOCOL_ICMP, echo(data))), [], `${from} to ${to}`);
    t.same(arriveAtB(wire, packet(from, to, UDP, data)), [], `${from} to ${to}`);
  }
});

function datagramOf(payload: Uint8Array): Uint8Array {
  const ends = { source: ADDRESS.a, sourcePort: 7, destination: ADDRESS.b, destinationPort: 9 };
  return packet(ADDRESS.a, ADDRESS.b, UDP, writeUdp({ ...ends, payload }));
}

t.test('UDP is told that nobody takes it, but not too often', async (t) => {
  const wire = new WirePair(3);
  const datagram = datagramOf(new Uint8Array(4));
  const [answer] = arriveAtB(wire, datagram);
  t.match(icmpIn(answer!).message, { type: ICMPV4.destinationUnreachable, code: 3 });
  t.same(answer!.subarray(28), datagram, 'it quotes the datagram');
  let answers = 0;
  for (let i = 0; i < 1000; i++) answers += arriveAtB(wire, datagram).length;
  t.ok(answers < 200, `${answers} answers at once`);
  wire.pass(1000);
  t.equal(arriveAtB(wire, datagram).length, 1);
});

t.test('a long datagram is quoted up to 576 bytes in all (RFC 1812 section 4.3.2.3)', async (t) => {
  const wire = new WirePair(7);
  const datagram = datagramOf(new Uint8Array(1400));
  const [answer] = arriveAtB(wire, datagram);
  t.equal(answer!.length, 576);
  t.same(answer!.subarray(28), datagram.subarray(0, 548));
});

/** An ICMP error about `quoted`, on its way to who sent that. */
function errorAbout(quoted: Uint8Array, code: number): Uint8Array {
  const bytes = new Uint8Array(8 + quoted.length);
  const view = new DataView(bytes.buffer);
  const type = ICMPV4.destinationUnreachable;
  emitIcmp(bytes, view, 0, type, code, 0, quoted, 0, quoted.length, 0);
  return packet('10.7.0.254', ADDRESS.b, PROTOCOL_ICMP, bytes);
}

t.test('an error ends an attempt to connect, with the errno of Linux', async (t) => {
  for (const [code, ERROR] of [
    [0, 101],
    [1, 113],
    [2, 111],
    [3, 111],
    [13, 113],
  ] as const) {
    const wire = new WirePair(4);
    wire.filter = () => false;
    const b = wire.b.connect(80);
    wire.b.turn();
    const syn = wire.sent[0]!.bytes;
    arriveAtB(wire, errorAbout(syn, code));
    t.match(b, { state: 'CLOSED', ERROR }, `code ${code}`);
  }
});

t.test('an error about another segment, or one too short to tell, is not believed', async (t) => {
  const wire = new WirePair(5);
  wire.filter = () => false;
  const b = wire.b.connect(80);
  wire.b.turn();
  const syn = wire.sent[0]!.bytes;
  const other = syn.slice();
  other[27]! ^= 1;
  arriveAtB(wire, errorAbout(other, 1));
  arriveAtB(wire, errorAbout(syn.subarray(0, 27), 1));
  arriveAtB(wire, errorAbout(syn.subarray(0, 12), 1));
  arriveAtB(wire, errorAbout(syn, 4));
  t.equal(b.state, 'SYN-SENT');
  arriveAtB(wire, errorAbout(syn.subarray(0, 28), 1));
  t.equal(b.state, 'CLOSED');
});

t.test(
  'an error about an established connection is only the reason of its timeout (RFC 1122 section 4.2.3.9)',
  async (t) => {
    const wire = new WirePair(6);
    const { b } = wire.establish();
    wire.filter = () => false;
    wire.b.send(b, new Uint8Array(10));
    wire.b.turn();
    arriveAtB(wire, errorAbout(wire.sent.at(-1)!.bytes, 1));
    t.equal(b.state, 'ESTABLISHED');
    wire.until(() => b.state === 'CLOSED', 'given up');
    t.equal(b.ERROR, 113);
  },
);
