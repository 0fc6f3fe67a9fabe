import t from 'tap';
import { converse, pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

t.test('connect gives up after more than 3 minutes (RFC 9293, MUST-23)', async (t) => {
  const wire = new WirePair(1);
  wire.filter = () => false;
  const a = wire.a.connect(80);
  const began = wire.now;
  wire.until(() => a.state === 'CLOSED', 'given up');
  t.equal(a.ERROR, 110);
  t.equal(wire.now - began, 247_000, '120 s is the longest RTO');
  t.same(
    wire.sent.map(({ at }) => at - began),
    [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000],
    'RFC 6298: 1 s, doubled each time',
  );
});

t.test('a listener forgets who does not come back', async (t) => {
  const wire = new WirePair(2);
  wire.b.listen(80);
  wire.filter = ({ from }) => from === 'a';
  const a = wire.a.connect(80);
  wire.pass(1);
  wire.a.close(a);
  wire.pass(10);
  t.equal(wire.b.stack.pcbs.size, 2);
  wire.pass(100_000);
  t.equal(wire.b.stack.pcbs.size, 1);
});

t.test('text gives up after about 15 minutes', async (t) => {
  const wire = new WirePair(3);
  const { a } = wire.establish();
  wire.filter = () => false;
  wire.a.send(a, new Uint8Array(10));
  const began = wire.now;
  wire.until(() => a.state === 'CLOSED', 'given up');
  t.equal(a.ERROR, 110);
  const seconds = (wire.now - began) / 1000;
  t.ok(seconds > 900 && seconds < 1100, `${seconds} s`);
});

t.test('the RTO follows the round-trip time (RFC 6298)', async (t) => {
  const wire = new WirePair(4);
  wire.delay = 400;
  const { a } = wire.establish();
  t.equal(a.SRTT, 800);
  t.equal(a.RTTVAR, 400);
  t.equal(a.RTO, 2400, 'section 2.2: SRTT + 4*RTTVAR');
});

t.test('one lost segment is repaired without a timeout (RFC 5681 section 3.2)', async (t) => {
  const wire = new WirePair(5);
  wire.delay = 50;
  const { a, b } = wire.establish();
  const text = pattern(400_000, 5);
  let count = 0;
  wire.filter = ({ from, bytes }) => !(from === 'a' && bytes.length > 1000 && ++count === 60);
  const one = new Talker(wire, 'a', a, text);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  let timeouts = 0;
  converse(wire, [one, two], () => {
    timeouts += a.BACKOFF;
  });
  t.equal(timeouts, 0);
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  t.ok(a.ssthresh < 400_000, 'and cwnd was halved');
});

t.test(
  'several lost segments of one window are repaired without a timeout (RFC 6582)',
  async (t) => {
    const wire = new WirePair(6);
    wire.delay = 50;
    const { a, b } = wire.establish();
    const text = pattern(400_000, 6);
    let count = 0;
    const lost = [60, 64, 65];
    wire.filter = ({ from, bytes }) => {
      return !(from === 'a' && bytes.length > 1000 && lost.includes(++count));
    };
    const one = new Talker(wire, 'a', a, text);
    const two = new Talker(wire, 'b', b, new Uint8Array(0));
    let timeouts = 0;
    converse(wire, [one, two], () => {
      timeouts += a.BACKOFF;
    });
    t.equal(timeouts, 0);
    t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  },
);

t.test('each segment out of order gets an ACK of its own, also within one turn', async (t) => {
  const wire = new WirePair(7);
  const { a, b } = wire.establish();
  wire.pass(100);
  const held: Uint8Array[] = [];
  wire.filter = ({ from, bytes }) => {
    if (from === 'a') held.push(bytes);
    return false;
  };
  wire.a.send(a, new Uint8Array(6 * a.SND_MSS));
  wire.a.turn();
  t.equal(held.length, 6);
  for (const bytes of held.slice(1)) wire.b.stack.arrive(bytes, 0, bytes.length, wire.now);
  let began = wire.sent.length;
  wire.b.turn();
  const acks = wire.sent.slice(began).map(segmentIn);
  t.equal(acks.length, 5);
  t.ok(acks.every(({ header }) => header.SEG_ACK === b.RCV_NXT && header.payloadLength === 0));
  began = wire.sent.length;
  wire.b.stack.arrive(held[0]!, 0, held[0]!.length, wire.now);
  wire.b.turn();
  t.equal(b.readable, 6 * a.SND_MSS);
  t.equal(wire.sent.length - began, 1, 'RFC 5681 section 4.2: and at once when the gap is filled');
});

t.test('keep-alive finds a dead peer, and leaves a living one alone', async (t) => {
  const wire = new WirePair(8);
  const { a, b } = wire.establish();
  a.KEEPALIVE = 1;
  wire.a.turn();
  wire.pass(24 * 3600_000);
  t.equal(a.state, 'ESTABLISHED');
  t.equal(b.state, 'ESTABLISHED');
  wire.filter = () => false;
  wire.pass(3 * 3600_000);
  t.equal(a.state, 'CLOSED');
  t.equal(a.ERROR, 110);
  t.equal(b.state, 'ESTABLISHED', 'which has not asked');
});

t.test('an idle connection sets no timer', async (t) => {
  const wire = new WirePair(9);
  wire.establish();
  wire.pass(10_000);
  t.equal(wire.a.stack.deadline, Infinity);
  t.equal(wire.b.stack.deadline, Infinity);
});
