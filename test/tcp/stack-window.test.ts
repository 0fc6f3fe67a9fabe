import t from 'tap';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

const SMALL = { b: { receiveBuffer: 10_000 } };

/** `a` sends more than `b` has room for, until nothing more can go. */
function fill(wire: WirePair) {
  const { a, b } = wire.establish();
  const text = pattern(30_000, 1);
  wire.a.send(a, text);
  wire.until(() => a.SND_WND === 0 && a.SND_NXT === a.SND_UNA, 'the window is closed');
  return { a, b, text };
}

t.test('a closed window is probed for as long as the peer answers', async (t) => {
  const wire = new WirePair(1, SMALL);
  const { a, b, text } = fill(wire);
  const filled = b.readable;
  t.ok(filled > 9000 && filled <= 10_000, `${filled} bytes`);
  const began = wire.sent.length;
  wire.pass(24 * 3600_000);
  t.equal(a.state, 'ESTABLISHED', 'after a day');
  const probes = wire.sent
    .slice(began)
    .map(segmentIn)
    .filter(({ from }) => from === 'a');
  t.ok(
    probes.length > 1000 && probes.length < 2000,
    `${probes.length}: one a minute, after backing off`,
  );
  t.ok(probes.every(({ header }) => header.payloadLength === 1));
  t.equal(b.readable, filled, 'nothing beyond the window is taken');

  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  const reopened = wire.now;
  wire.until(() => {
    two.act();
    return two.heard === text.length;
  }, 'goes on');
  t.ok(wire.now - reopened < 2000, 'the window update is enough');
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test('a window update that is lost is found out by a probe', async (t) => {
  const wire = new WirePair(2, SMALL);
  const { b, text } = fill(wire);
  wire.filter = ({ from }) => from !== 'b';
  const first = wire.b.receive(b);
  wire.pass(10);
  wire.filter = () => true;
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  wire.until(() => {
    two.act();
    return first.length + two.heard === text.length;
  }, 'goes on');
  t.ok(Buffer.compare(Buffer.concat([first, two.everythingHeard]), text) === 0);
});

t.test('probes that nobody answers end in ETIMEDOUT', async (t) => {
  const wire = new WirePair(3, SMALL);
  const { a } = fill(wire);
  wire.filter = () => false;
  const began = wire.now;
  wire.until(() => a.state === 'CLOSED', 'given up');
  t.equal(a.ERROR, 110);
  t.ok(wire.now - began > 900_000, 'R2: about 15 minutes');
});

t.test('a FIN waits for the window, and is probed for', async (t) => {
  const wire = new WirePair(4, SMALL);
  const { a, b, text } = fill(wire);
  wire.a.shutdown(a);
  wire.pass(200_000);
  t.equal(a.state, 'FIN-WAIT-1');
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  wire.until(() => {
    two.act();
    return b.atEnd;
  }, 'everything arrives');
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test(
  'a window that is closed before all that was sent counts as lost is probed for',
  async (t) => {
    const wire = new WirePair(8);
    const { a, b } = wire.establish();
    a.NODELAY = 1;
    wire.a.send(a, pattern(1000, 1));
    wire.pass(1000);
    wire.filter = ({ from }) => from !== 'a';
    wire.a.send(a, pattern(1000, 2));
    wire.until(() => a.IS_PROBE_OUT === 1, 'the tail is asked for');
    wire.pass(a.RETRANSMISSION_DEADLINE - wire.now - 8);
    wire.a.send(a, pattern(1000, 3));
    wire.a.turn();
    // As a host says it that cannot take in any more what it has offered.
    const shut = { SEG_SEQ: b.SND_NXT, SEG_ACK: a.SND_UNA, SEG_WND: 0, flags: ACK };
    wire.inject('a', fromPeer(a, shut));
    wire.pass(1000);
    t.equal(a.SND_WND, 0);
    wire.filter = () => true;
    wire.until(() => b.readable === 3000, 'a probe has been answered');
    t.same(Buffer.from(wire.b.receive(b)).subarray(2000), Buffer.from(pattern(1000, 3)));
  },
);

t.test('both windows closed at once', async (t) => {
  const wire = new WirePair(5, { a: { receiveBuffer: 5000 }, b: { receiveBuffer: 5000 } });
  const { a, b } = wire.establish();
  const text = pattern(50_000, 5);
  wire.a.send(a, text);
  wire.b.send(b, text);
  wire.pass(600_000);
  t.equal(a.SND_WND, 0);
  t.equal(b.SND_WND, 0);
  const one = new Talker(wire, 'a', a, new Uint8Array(0));
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  wire.until(() => {
    one.act();
    two.act();
    return one.heard === text.length && two.heard === text.length;
  }, 'goes on');
  t.ok(Buffer.compare(one.everythingHeard, text) === 0);
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test('the right edge is never taken back, and crumbs do not overflow the buffer', async (t) => {
  const wire = new WirePair(6, { b: { receiveBuffer: 1 << 20 } });
  const { a, b } = wire.establish();
  a.NODELAY = 1;
  let edge = b.RCV_ADV;
  let taken = 0;
  for (let i = 0; i < 3000; i++) {
    wire.a.send(a, new Uint8Array(1 + wire.random(3)));
    if (wire.random(100) === 0) taken += wire.b.receive(b).length;
    wire.step();
    if (((b.RCV_ADV - edge) | 0) < 0) t.fail('the edge went back');
    edge = b.RCV_ADV;
    // Offset 0 is sequence number IRS + 1.
    const room = (edge - b.IRS - 1) >>> 0;
    if (room > b.RECEIVE_START + (1 << 20)) t.fail('more is offered than there is room for');
  }
  t.ok(taken > 0);
});

t.test('silly windows are neither offered nor filled (RFC 9293 section 3.8.6.2)', async (t) => {
  const wire = new WirePair(7, SMALL);
  const { b, text } = fill(wire);
  const one = new Uint8Array(1);
  let heard = 0;
  const began = wire.sent.length;
  while (heard < 9000) {
    heard += wire.b.stack.receive(b, one, wire.now);
    wire.pass(1);
  }
  const sizes = wire.sent
    .slice(began)
    .map(segmentIn)
    .filter(({ from, header }) => from === 'a' && header.payloadLength > 1)
    .map(({ header }) => header.payloadLength);
  t.ok(sizes.length > 0);
  t.ok(Math.min(...sizes) >= 1000, `segments of ${sizes}`);
  t.ok(text.length > heard);
});

t.test('Nagle: small segments wait for the ACK, unless NODELAY', async (t) => {
  for (const NODELAY of [0, 1]) {
    const wire = new WirePair(8);
    const { a } = wire.establish();
    wire.pass(100);
    a.NODELAY = NODELAY;
    const began = wire.sent.length;
    for (let i = 0; i < 10; i++) {
      wire.a.send(a, new Uint8Array(10));
      wire.a.turn();
    }
    t.equal(wire.sent.length - began, NODELAY === 1 ? 10 : 1);
    wire.pass(100);
    const lengths = wire.sent
      .slice(began)
      .map(segmentIn)
      .filter(({ from }) => from === 'a');
    const total = lengths.reduce((sum, { header }) => sum + header.payloadLength, 0);
    t.equal(total, 100);
  }
});

t.test('delayed ACK: within 40 ms, and at once for every second segment', async (t) => {
  const wire = new WirePair(9);
  const { a, b } = wire.establish();
  wire.pass(1000);
  b.QUICK_ACKS = 0;
  const acks = (began: number) =>
    wire.sent
      .slice(began)
      .filter(({ from }) => from === 'b')
      .map((p) => ({ at: p.at, ...segmentIn(p) }));
  let began = wire.sent.length;
  const sentAt = wire.now;
  wire.a.send(a, new Uint8Array(a.SND_MSS));
  wire.pass(39);
  t.equal(acks(began).length, 0);
  wire.pass(20);
  t.match(acks(began), [{ at: sentAt + wire.delay + 40 }]);
  began = wire.sent.length;
  wire.a.send(a, new Uint8Array(2 * a.SND_MSS));
  wire.pass(wire.delay);
  t.equal(acks(began).length, 1);
  t.equal(b.readable, 3 * a.SND_MSS);
});
