import t from 'tap';
import { ACK, FIN, RST, SYN } from '../../tcp/wire/tcp.ts';
import { fromPeer, segment } from './forge.ts';
import { ADDRESS, type Segment, segmentIn, WirePair } from './wire-pair.ts';

const STRANGER = { address: ADDRESS.a, port: 40000 };
const NOBODY = { address: ADDRESS.b, port: 9 };

/** What b answers to one packet. */
function answersTo(wire: WirePair, packet: Uint8Array): Segment[] {
  wire.keeps = true;
  const before = wire.sent.length;
  wire.b.stack.arrive(packet, 0, packet.length, wire.now);
  wire.b.turn();
  return wire.sent.slice(before).map(segmentIn);
}

t.test('a closed port (RFC 9293 section 3.10.7.1)', async (t) => {
  const wire = new WirePair(1);
  const [toSyn] = answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 100, flags: SYN }));
  t.match(toSyn, { flags: 'RST,ACK', header: { SEG_SEQ: 0, SEG_ACK: 101 } });
  const [toAck] = answersTo(
    wire,
    segment(STRANGER, NOBODY, { SEG_SEQ: 100, SEG_ACK: 7, flags: 0 }),
  );
  t.match(toAck, { flags: 'RST', header: { SEG_SEQ: 7 } });
  const text = new Uint8Array(10);
  const [toText] = answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 100, flags: FIN, text }));
  t.match(toText, { flags: 'RST,ACK', header: { SEG_ACK: 111 } }, 'SEG.LEN counts text and FIN');
  t.same(answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 100, flags: RST })), []);
});

t.test('LISTEN (section 3.10.7.2)', async (t) => {
  const wire = new WirePair(1);
  wire.b.listen(9);
  t.same(answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 1, flags: RST })), []);
  const [toAck] = answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 1, SEG_ACK: 7, flags: 0 }));
  t.match(toAck, { flags: 'RST', header: { SEG_SEQ: 7 } });
  t.same(answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 1, flags: 0 })), []);
  t.equal(wire.b.stack.pcbs.size, 1);
});

t.test('connect to a closed port is refused', async (t) => {
  const wire = new WirePair(1);
  const a = wire.a.connect(80);
  wire.until(() => a.STATE === 0, 'refused');
  t.equal(a.ERROR, 111);
  t.throws(() => wire.a.send(a, new Uint8Array(1)), { name: 'ECONNREFUSED' });
  t.ok(wire.a.stack.pcbs.has(a.ID), 'stays until its user closes it');
  wire.b.listen(80);
  wire.a.stack.connect(a, { address: ADDRESS.b, port: 80 }, wire.now);
  wire.until(() => a.state === 'ESTABLISHED', 'a second attempt');
  t.equal(a.ERROR, 0);
});

t.test('SYN-SENT takes only a RST that acknowledges its SYN (section 3.10.7.3)', async (t) => {
  const wire = new WirePair(1);
  wire.filter = () => false;
  const b = wire.b.connect(80);
  wire.b.turn();
  answersTo(wire, fromPeer(b, { SEG_SEQ: 0, flags: RST }));
  answersTo(wire, fromPeer(b, { SEG_SEQ: 0, SEG_ACK: b.ISS, flags: RST }));
  t.equal(b.state, 'SYN-SENT');
  const [toAck] = answersTo(wire, fromPeer(b, { SEG_SEQ: 0, SEG_ACK: b.ISS + 9, flags: SYN }));
  t.match(toAck, { flags: 'RST', header: { SEG_SEQ: (b.ISS + 9) >>> 0 } });
  t.equal(b.state, 'SYN-SENT');
  answersTo(wire, fromPeer(b, { SEG_SEQ: 0, SEG_ACK: b.ISS + 1, flags: RST }));
  t.equal(b.state, 'CLOSED');
});

t.test('RST in ESTABLISHED (RFC 5961 section 3.2)', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  const challenge = { flags: 'ACK', header: { SEG_SEQ: b.SND_NXT, SEG_ACK: b.RCV_NXT } };
  const inWindow = answersTo(wire, fromPeer(b, { SEG_SEQ: b.RCV_NXT + 1, flags: RST }));
  t.match(inWindow, [challenge], 'in the window, but not exact: a challenge');
  t.same(answersTo(wire, fromPeer(b, { SEG_SEQ: b.RCV_NXT - 1, flags: RST })), []);
  t.same(answersTo(wire, fromPeer(b, { SEG_SEQ: b.RCV_ADV, flags: RST })), []);
  t.equal(b.state, 'ESTABLISHED');
  t.same(answersTo(wire, fromPeer(b, { SEG_SEQ: b.RCV_NXT, flags: RST })), []);
  t.equal(b.state, 'CLOSED');
  t.throws(() => wire.b.stack.receive(b, new Uint8Array(1), wire.now), { name: 'ECONNRESET' });
});

t.test('what had arrived before a reset can be read', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, new Uint8Array([1, 2, 3]));
  wire.until(() => b.readable === 3, 'arrived');
  wire.a.abort(a);
  wire.until(() => b.state === 'CLOSED', 'reset');
  t.same([...wire.b.receive(b)], [1, 2, 3]);
  t.throws(() => wire.b.stack.receive(b, new Uint8Array(1), wire.now), { name: 'ECONNRESET' });
  t.notOk(wire.a.stack.pcbs.has(a.ID), 'an aborted one is gone');
  wire.a.turn();
  wire.b.close(b);
  wire.b.turn();
  t.equal(wire.b.stored, 1, 'the listener');
});

t.test('SYN in a synchronized state is challenged (RFC 5961 section 4.2)', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  const challenge = { flags: 'ACK', header: { SEG_SEQ: b.SND_NXT, SEG_ACK: b.RCV_NXT } };
  for (const SEG_SEQ of [b.RCV_NXT, b.RCV_NXT + 10, b.RCV_NXT - 1000]) {
    t.match(answersTo(wire, fromPeer(b, { SEG_SEQ, flags: SYN })), [challenge]);
  }
  t.equal(b.state, 'ESTABLISHED');
});

t.test('challenges are rationed (RFC 5961 section 7)', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  const syn = fromPeer(b, { SEG_SEQ: b.RCV_NXT, flags: SYN });
  let challenges = 0;
  for (let i = 0; i < 100; i++) challenges += answersTo(wire, syn).length;
  t.equal(challenges, 10);
  wire.pass(5000);
  t.equal(answersTo(wire, syn).length, 1);
});

t.test(
  'an ACK of what was never sent, or of long ago, is challenged (RFC 5961 section 5.2)',
  async (t) => {
    const wire = new WirePair(1);
    const { b } = wire.establish();
    const SEG_SEQ = b.RCV_NXT;
    const text = new Uint8Array(4);
    for (const SEG_ACK of [b.SND_NXT + 1, b.SND_UNA - b.MAX_SND_WND - 1]) {
      const answers = answersTo(wire, fromPeer(b, { SEG_SEQ, SEG_ACK, flags: 0, text }));
      t.match(answers, [{ flags: 'ACK', header: { SEG_ACK: SEG_SEQ } }]);
    }
    t.equal(b.readable, 0, 'and its text is not taken');
    answersTo(wire, fromPeer(b, { SEG_SEQ, SEG_ACK: b.SND_UNA - 1, flags: 0, text }));
    t.equal(b.readable, 4, 'an old one that a window explains is fine');
  },
);

t.test('a peer that has forgotten the connection resets it through a challenge', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.stack.abort(a, wire.now);
  wire.filter = ({ from }) => from !== 'a';
  wire.a.turn();
  wire.filter = () => true;
  // The same sockets again, from a peer that has rebooted: RFC 9293 figure 9.
  const again = wire.a.stack.create();
  wire.a.stack.bind(again, b.remote!);
  wire.a.stack.connect(again, b.local!, wire.now);
  wire.until(() => b.state === 'CLOSED', 'the old connection is reset');
  t.equal(b.ERROR, 104);
  wire.until(() => again.state === 'ESTABLISHED', 'the new one is made');
});

t.test('a segment outside of the window is answered with an ACK', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  const text = new Uint8Array(4);
  for (const SEG_SEQ of [b.RCV_NXT - 4, b.RCV_ADV]) {
    const answers = answersTo(wire, fromPeer(b, { SEG_SEQ, SEG_ACK: b.SND_NXT, flags: 0, text }));
    t.match(answers, [{ flags: 'ACK', header: { SEG_ACK: b.RCV_NXT } }]);
  }
  t.equal(b.readable, 0);
});

t.test('RST in SYN-RECEIVED: back to LISTEN', async (t) => {
  const wire = new WirePair(1);
  const listener = wire.b.listen(9);
  const answers = answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 100, flags: SYN }));
  t.match(answers, [{ flags: 'SYN,ACK', header: { SEG_ACK: 101 } }]);
  t.equal(wire.b.stack.pcbs.size, 2);
  answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 101, flags: RST }));
  t.equal(wire.b.stack.pcbs.size, 1);
  t.equal(listener.state, 'LISTEN');
});

t.test('a wrong ACK in SYN-RECEIVED is reset', async (t) => {
  const wire = new WirePair(1);
  wire.b.listen(9);
  answersTo(wire, segment(STRANGER, NOBODY, { SEG_SEQ: 100, flags: SYN }));
  const wrong = segment(STRANGER, NOBODY, { SEG_SEQ: 101, SEG_ACK: 7, flags: ACK });
  t.match(answersTo(wire, wrong), [{ flags: 'RST', header: { SEG_SEQ: 7 } }]);
});

t.test('garbage is dropped without a word', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  wire.pass(100);
  const good = fromPeer(b, { SEG_SEQ: b.RCV_NXT, SEG_ACK: b.SND_NXT, flags: 0, text: good4() });
  for (let length = 0; length < good.length; length++) {
    const cut = good.slice(0, length);
    wire.b.stack.arrive(cut, 0, cut.length, wire.now);
  }
  for (let bit = 0; bit < good.length * 8; bit++) {
    const flipped = good.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    wire.b.stack.arrive(flipped, 0, flipped.length, wire.now);
  }
  const before = wire.sent.length;
  wire.b.turn();
  t.equal(wire.sent.length, before);
  t.equal(b.readable, 0);
  wire.b.stack.arrive(good, 0, good.length, wire.now);
  t.equal(b.readable, 4);

  function good4() {
    return new Uint8Array([1, 2, 3, 4]);
  }
});
