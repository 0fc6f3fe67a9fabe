import t from 'tap';
import { seqAdd, seqSub } from '../../tcp/sequence.ts';
import { pseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { PROTOCOL_TCP } from '../../tcp/wire/ipv4.ts';
import { ACK, CWR, PSH, parseTcp, TcpHeader, UNCHECKED } from '../../tcp/wire/tcp.ts';
import { cut, join } from '../segmentation.ts';
import { fromPeer } from './forge.ts';
import { pattern } from './transfer.ts';
import { ipIn, type Station, segmentIn, WirePair } from './wire-pair.ts';

/** What a stack has given to be finished. */
interface Unfinished {
  readonly bytes: Uint8Array;
  readonly segmentSize: number;
  readonly header: TcpHeader;
}

/** From now on the interface of `station` cuts what is too large. */
function offload(wire: WirePair, station: Station): Unfinished[] {
  const given: Unfinished[] = [];
  station.egress.commitUnfinished = (length, segmentSize) => {
    const bytes = station.egress.bytes.slice(0, length);
    const header = new TcpHeader();
    const { at } = ipIn(bytes);
    parseTcp(new DataView(bytes.buffer), at, length - at, UNCHECKED, header);
    given.push({ bytes, segmentSize, header });
    for (const piece of cut(bytes, segmentSize)) wire.carry(station.side, piece);
  };
  return given;
}

for (const [version, address] of [
  ['IPv4', '10.7.0.2'],
  ['IPv6', 'fd00:7::2'],
] as const) {
  t.test(
    `${version}: text leaves as much at a time as windows and a packet's length allow`,
    async (t) => {
      const wire = new WirePair(1);
      const { a, b } = wire.establish(80, address);
      const given = offload(wire, wire.a);
      const text = pattern(900_000, 1);
      wire.a.send(a, text);
      wire.a.turn();
      t.equal(given.length, 1, 'the initial window at once (RFC 6928)');
      t.equal(given[0]!.header.payloadLength, 10 * a.SND_MSS);
      const heard: Uint8Array[] = [];
      wire.until(() => {
        heard.push(wire.b.receive(b).slice());
        return a.SEND_START === text.length;
      }, 'all is acknowledged');
      t.strictSame(Buffer.concat(heard), Buffer.from(text));
      const most = Math.max(...given.map(({ bytes }) => bytes.length));
      t.ok(most <= 65_535 && most > 65_535 - 1500 - 80, `the largest has ${most} bytes`);
      const mss = a.SND_MSS;
      for (const { segmentSize, header } of given) {
        if (header.payloadLength > mss) t.equal(segmentSize, mss);
        if (header.payloadLength > mss) t.equal(header.payloadLength % mss, 0);
      }
      const ends = given.filter(({ header }) => header.flags & PSH);
      t.equal(ends.length, 1, 'PSH is for the last of the text');
      t.ok(
        wire.sent.every(({ bytes }) => bytes.length <= 1500),
        'and what leaves the interface are packets',
      );
    },
  );
}

t.test('the checksum that is left to be finished is that of the pseudo header', async (t) => {
  const wire = new WirePair(1);
  const { a } = wire.establish();
  const given = offload(wire, wire.a);
  wire.a.send(a, pattern(5000, 1));
  wire.a.turn();
  for (const { bytes } of given) {
    const { source, destination, at } = ipIn(bytes);
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, bytes.length - at);
    let folded = sum;
    while (folded > 0xffff) folded = Math.floor(folded / 0x10000) + (folded % 0x10000);
    t.equal(new DataView(bytes.buffer).getUint16(at + 16), folded);
  }
  t.equal(given.length, 2, 'three whole segments and one that is not');
});

t.test('what is lost of it is sent again by segments', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const given = offload(wire, wire.a);
  let count = 0;
  wire.filter = ({ from }) => from === 'b' || ++count !== 4;
  wire.a.send(a, pattern(60_000, 1));
  wire.until(() => b.readable === 60_000, 'all has arrived');
  const again = given.filter(({ header }, i) => {
    const before = given.slice(0, i);
    return before.some((one) => seqSub(header.SEG_SEQ, one.header.SEG_SEQ) < one.header.SEG_LEN);
  });
  t.equal(again.length, 1);
  t.equal(again[0]!.header.payloadLength, a.SND_MSS);
});

t.test('the path may have a smaller MTU than the interface', async (t) => {
  const wire = new WirePair(1);
  const { a } = wire.establish();
  const given = offload(wire, wire.a);
  a.SND_MSS = 1000;
  wire.a.send(a, pattern(9000, 1));
  wire.a.turn();
  t.equal(given[0]!.segmentSize, 1000);
  t.equal(given[0]!.header.payloadLength, 9000);
});

t.test('one segment at a time where it matters which leaves when', async (t) => {
  const paced = new WirePair(1);
  const { a } = paced.establish();
  a.PACING = 1;
  const given = offload(paced, paced.a);
  paced.a.send(a, pattern(5 * a.SND_MSS, 1));
  paced.a.turn();
  t.equal(given[0]!.header.payloadLength, a.SND_MSS, 'paced');

  const marked = new WirePair(1, { a: { ecn: true } });
  const { a: sender } = marked.establish();
  const segments = offload(marked, marked.a);
  sender.CWR_NOW = 1;
  marked.a.send(sender, pattern(5 * sender.SND_MSS, 1));
  marked.a.turn();
  t.strictSame(
    segments.map(({ header }) => [(header.flags & CWR) !== 0, header.payloadLength]),
    [
      [true, sender.SND_MSS],
      [false, 4 * sender.SND_MSS],
    ],
  );
});

t.test('segments to our own address are no larger than elsewhere', async (t) => {
  const wire = new WirePair(1);
  const given = offload(wire, wire.a);
  const listener = wire.a.listen(80);
  const client = wire.a.connect(80, '10.7.0.1');
  wire.a.turn();
  const server = wire.a.stack.accept(listener)!;
  wire.a.send(client, pattern(100_000, 1));
  wire.a.turn();
  t.equal(server.readable, 100_000);
  t.strictSame(given, []);
});

t.test('joined segments count as those they were joined from', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(20_000, 1));
  wire.until(() => b.readable === 20_000, 'the connection is no longer new');
  wire.pass(1000);
  b.QUICK_ACKS = 0;
  const segments = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) =>
      fromPeer(b, {
        SEG_SEQ: seqAdd(b.RCV_NXT, (from + i) * 1000),
        SEG_ACK: b.SND_NXT,
        SEG_WND: 65_535,
        flags: ACK,
        text: pattern(1000, 2),
      }),
    );
  const arrive = (packets: readonly Uint8Array[]): Uint8Array[] => {
    const before = wire.sent.length;
    for (const { bytes, ingress } of join(packets)) {
      wire.b.stack.arrive(bytes, 0, bytes.length, wire.now, ingress);
    }
    wire.b.turn();
    return wire.sent.slice(before).map(({ bytes }) => bytes);
  };
  const { TcpInSegs } = wire.b.stack.counters;
  t.equal(join(segments(0, 2)).length, 1, 'they are joined');
  t.equal(arrive(segments(0, 2)).length, 1, 'two are acknowledged at once');
  t.equal(wire.b.stack.counters.TcpInSegs - TcpInSegs, 2);
  t.equal(arrive(segments(0, 1)).length, 0, 'one may wait');
  const duplicates = arrive(segments(3, 3));
  t.equal(duplicates.length, 3, 'out of order, each asks for what is missing');
  for (const bytes of duplicates) {
    t.equal(segmentIn({ from: 'b', bytes, at: 0 }).header.SEG_ACK, b.RCV_NXT);
  }
});

t.test('a checksum is looked at unless the packet is vouched for', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  const bytes = fromPeer(b, {
    SEG_SEQ: b.RCV_NXT,
    SEG_ACK: b.SND_NXT,
    SEG_WND: 65_535,
    flags: ACK,
    text: pattern(100, 1),
  });
  bytes[36]! ^= 1;
  wire.b.stack.arrive(bytes, 0, bytes.length, wire.now);
  t.equal(b.readable, 0);
  t.equal(wire.b.stack.counters.TcpInErrs, 1);
  wire.b.stack.arrive(bytes, 0, bytes.length, wire.now, { isVouchedFor: true, segmentSize: 0 });
  t.equal(b.readable, 100);
});

t.test('what is cut and joined again is what it was', async (t) => {
  const wire = new WirePair(1);
  const { a } = wire.establish();
  const given = offload(wire, wire.a);
  wire.a.send(a, pattern(14_000, 1));
  wire.a.turn();
  const [first] = given;
  const pieces = cut(first!.bytes, first!.segmentSize);
  t.ok(pieces.length > 5);
  const joined = join(pieces);
  t.equal(joined.length, 1);
  t.equal(joined[0]!.ingress.segmentSize, first!.segmentSize);
  const text = 40 + 12;
  t.strictSame(joined[0]!.bytes.slice(text), first!.bytes.slice(text));
});
