import t from 'tap';
import { seqLessThan, seqSub } from '../../tcp/sequence.ts';
import { echoedRoundTrip, timestampOf } from '../../tcp/timestamps.ts';
import { fromPeer } from './forge.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { type Packet, type Side, segmentIn, WirePair } from './wire-pair.ts';

function stampsFrom(sent: readonly Packet[], side: Side): number[] {
  return sent
    .filter(({ from }) => from === side)
    .map((packet) => segmentIn(packet).header.options.timestampValue);
}

function isRising(stamps: readonly number[]): boolean {
  return stamps.every((stamp, i) => i === 0 || !seqLessThan(stamp, stamps[i - 1]!));
}

t.test('every segment of a conversation is stamped, and the clock does not go back', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const one = new Talker(wire, 'a', a, pattern(50_000, 1));
  const two = new Talker(wire, 'b', b, pattern(50_000, 2));
  converse(wire, [one, two]);
  for (const side of ['a', 'b'] as const) {
    const segments = wire.sent.filter(({ from }) => from === side).map(segmentIn);
    t.ok(segments.every(({ header }) => header.options.hasTimestamps));
    t.ok(isRising(stampsFrom(wire.sent, side)));
  }
  t.equal(a.SND_MSS, 1448, 'RFC 6691: 1500 less 40 bytes of headers and 12 of options');
});

t.test('the clock begins elsewhere for each pair of sockets (RFC 7323 section 5.4)', async (t) => {
  const wire = new WirePair(2);
  wire.b.listen(80);
  const offsets = Array.from({ length: 10 }, () => wire.a.connect(80).TS_OFFSET);
  t.equal(new Set(offsets).size, 10);
});

t.test('TSval does not go back, whenever an engine dies', async (t) => {
  let deaths = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const wire = new WirePair(seed);
    const { a, b } = wire.establish();
    const one = new Talker(wire, 'a', a, pattern(60_000, seed));
    const two = new Talker(wire, 'b', b, pattern(30_000, -seed));
    let left = 8;
    converse(wire, [one, two], () => {
      if (left === 0 || wire.random(5) !== 0) return;
      left--;
      deaths++;
      const station = wire.random(2) === 0 ? wire.a : wire.b;
      station.turn();
      station.restart(wire.random(20_000));
    });
    for (const side of ['a', 'b'] as const) {
      if (!isRising(stampsFrom(wire.sent, side))) t.fail(`goes back with seed ${seed}`);
    }
    const isEqual = Buffer.compare(two.everythingHeard, pattern(60_000, seed)) === 0;
    if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
  }
  t.ok(deaths > 50, `${deaths} deaths`);
});

t.test('a host that reboots goes on above the mark, though its clock begins anew', async (t) => {
  const wire = new WirePair(3);
  wire.now = 5_000_000;
  const { a } = wire.establish();
  const last = timestampOf(a, wire.now);
  wire.a.restart(1000 - wire.now);
  const again = wire.a.pcb(a.ID);
  t.ok(seqLessThan(last, timestampOf(again, wire.now)));
  t.ok(seqSub(timestampOf(again, wire.now), last) <= 10_000);
  const began = wire.sent.length;
  wire.pass(2000);
  const stamps = stampsFrom(wire.sent.slice(began), 'a');
  t.ok(stamps.length > 0);
  t.ok(stamps.every((stamp) => seqLessThan(last, stamp)));
});

t.test('the mark is renewed once in 10 s, not for each segment', async (t) => {
  const wire = new WirePair(4);
  const { a, b } = wire.establish();
  wire.pass(100);
  let renewed = 0;
  let mark = a.TSVAL_RESERVED;
  for (let i = 0; i < 300; i++) {
    wire.b.send(b, pattern(10, i));
    wire.pass(100);
    wire.a.receive(a);
    t.ok(seqLessThan(timestampOf(a, wire.now - 100), a.TSVAL_RESERVED) || i === 0);
    if (a.TSVAL_RESERVED !== mark) renewed++;
    mark = a.TSVAL_RESERVED;
  }
  t.ok(renewed >= 2 && renewed <= 4, `${renewed} times in 30 s`);
});

t.test('the echo times what was sent twice (RFC 7323 section 4.1)', async (t) => {
  const wire = new WirePair(5);
  wire.delay = 150;
  let syns = 0;
  wire.filter = ({ from }) => from !== 'a' || ++syns > 1;
  const { a } = wire.establish();
  t.equal(a.SRTT, 300, 'the SYN was lost once, and its second was timed');
});

t.test('an echo of what was sent before a restore tells no time', async (t) => {
  const wire = new WirePair(6);
  wire.delay = 50;
  const { a } = wire.establish();
  wire.pass(1000);
  wire.a.send(a, pattern(1000, 6));
  wire.pass(60);
  wire.filter = () => false;
  wire.a.restart(0);
  wire.filter = () => true;
  const again = wire.a.pcb(a.ID);
  const ack = fromPeer(again, {
    SEG_SEQ: again.RCV_NXT,
    SEG_ACK: again.sendEndSeq,
    flags: 0,
    timestamps: { value: again.TS_RECENT, echo: timestampOf(again, wire.now) - 5000 },
  });
  wire.a.stack.arrive(ack, 0, ack.length, wire.now);
  t.equal(again.SND_UNA, again.sendEndSeq);
  t.equal(again.SRTT, 0);
});

t.test('the echo tells the time also of a connection that is a month old', async (t) => {
  const wire = new WirePair(9);
  wire.delay = 50;
  const { a } = wire.establish();
  wire.pass(30 * 24 * 3600_000);
  wire.a.send(a, pattern(1000, 9));
  wire.until(() => a.SND_UNA === a.sendEndSeq, 'acknowledged');
  const { header } = segmentIn(wire.sent.filter(({ from }) => from === 'b').at(-1)!);
  t.equal(echoedRoundTrip(a, header, wire.now), 100);
});

t.test('TS.Recent survives, and keeps old duplicates out after a restore', async (t) => {
  const wire = new WirePair(7);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(100, 7));
  wire.pass(100);
  const { TS_RECENT } = b;
  wire.b.restart(10);
  const again = wire.b.pcb(b.ID);
  t.equal(again.TS_RECENT, TS_RECENT);
  const old = fromPeer(again, {
    SEG_SEQ: again.RCV_NXT,
    SEG_ACK: again.SND_UNA,
    flags: 0,
    text: pattern(50, 8),
    timestamps: { value: TS_RECENT - 1, echo: 0 },
  });
  wire.b.stack.arrive(old, 0, old.length, wire.now);
  t.equal(again.readable, 100);
});

t.test('after 24 days of silence any timestamp is taken (RFC 7323 section 5.5)', async (t) => {
  const wire = new WirePair(8);
  const { b } = wire.establish();
  const late = (days: number) => {
    wire.now += days * 24 * 3600_000;
    const segment = fromPeer(b, {
      SEG_SEQ: b.RCV_NXT,
      SEG_ACK: b.SND_UNA,
      flags: 0,
      text: pattern(1, 8),
      timestamps: { value: b.TS_RECENT - 1, echo: 0 },
    });
    wire.b.stack.arrive(segment, 0, segment.length, wire.now);
    return b.readable;
  };
  t.equal(late(23), 0);
  t.equal(late(2), 1);
});
