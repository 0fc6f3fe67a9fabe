import t from 'tap';
import type { Pcb } from '../../tcp/pcb.ts';
import { seqAdd, seqSub } from '../../tcp/sequence.ts';
import { FIN } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { arriveAtB, segmentIn, WirePair } from './wire-pair.ts';

function states(wire: WirePair, pcb: Pcb): string[] {
  const seen: string[] = [pcb.state];
  wire.until(() => {
    if (seen.at(-1) !== pcb.state) seen.push(pcb.state);
    return pcb.STATE === 0;
  }, 'closed');
  return seen;
}

t.test('one side closes, then the other (RFC 9293 figure 12)', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.close(a);
  t.equal(a.state, 'FIN-WAIT-1');
  wire.until(() => b.atEnd, 'the FIN arrives');
  t.equal(b.state, 'CLOSE-WAIT');
  wire.pass(20);
  t.equal(a.state, 'FIN-WAIT-2');
  wire.b.close(b);
  t.equal(b.state, 'LAST-ACK');
  wire.until(() => a.state === 'TIME-WAIT', 'TIME-WAIT');
  wire.until(() => !wire.b.stack.pcbs.has(b.ID), 'b is gone');
  const began = wire.now;
  wire.until(() => !wire.a.stack.pcbs.has(a.ID), 'a is gone');
  t.ok(wire.now - began >= 59_000 && wire.now - began <= 60_000, '2*MSL');
  t.equal(wire.a.stack.takeRemoved().length, 0, 'the turn has taken them');
});

t.test('half close: text goes on the other way', async (t) => {
  const wire = new WirePair(2);
  const { a, b } = wire.establish();
  wire.a.shutdown(a);
  wire.until(() => b.atEnd, 'the FIN arrives');
  t.equal(wire.b.stack.receive(b, new Uint8Array(9), wire.now), 0);
  t.throws(() => wire.a.send(a, new Uint8Array(1)), { name: 'EPIPE' });
  const text = pattern(200_000, 2);
  const one = new Talker(wire, 'b', b, text);
  const two = new Talker(wire, 'a', a, new Uint8Array(0));
  converse(wire, [one, two]);
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  wire.pass(200_000);
  t.equal(a.state, 'CLOSED', 'TIME-WAIT ends');
  t.ok(wire.a.stack.pcbs.has(a.ID), 'but its user has not closed it');
  t.ok(a.atEnd);
  wire.a.close(a);
  t.notOk(wire.a.stack.pcbs.has(a.ID));
});

t.test('FIN-WAIT-2 lasts after shutdown, but not after close', async (t) => {
  const wire = new WirePair(3);
  const { a } = wire.establish();
  wire.a.shutdown(a);
  wire.pass(3600_000);
  t.equal(a.state, 'FIN-WAIT-2');
  wire.a.close(a);
  wire.pass(59_000);
  t.equal(a.state, 'FIN-WAIT-2');
  wire.pass(2_000);
  t.notOk(wire.a.stack.pcbs.has(a.ID));
});

t.test('simultaneous close (figure 13)', async (t) => {
  const wire = new WirePair(4);
  const { a, b } = wire.establish();
  wire.pass(100);
  wire.a.shutdown(a);
  wire.b.shutdown(b);
  const seen = states(wire, a);
  t.same(seen, ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED']);
  wire.pass(10);
  t.equal(b.state, 'CLOSED');
});

t.test('simultaneous open (figure 7)', async (t) => {
  const wire = new WirePair(5);
  const [a, b] = [wire.a.stack.create(), wire.b.stack.create()];
  const ends = [
    { address: '10.7.0.1', port: 1001 },
    { address: '10.7.0.2', port: 1002 },
  ] as const;
  wire.a.stack.bind(a, ends[0]);
  wire.b.stack.bind(b, ends[1]);
  wire.a.stack.connect(a, ends[1], wire.now);
  wire.b.stack.connect(b, ends[0], wire.now);
  const seen: string[] = [];
  wire.until(() => {
    if (seen.at(-1) !== a.state) seen.push(a.state);
    return a.state === 'ESTABLISHED' && b.state === 'ESTABLISHED';
  }, 'established');
  t.same(seen, ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']);
  const texts = [pattern(50_000, 5), pattern(50_000, 6)] as const;
  const one = new Talker(wire, 'a', a, texts[0]);
  const two = new Talker(wire, 'b', b, texts[1]);
  converse(wire, [one, two]);
  t.ok(Buffer.compare(two.everythingHeard, texts[0]) === 0);
  t.ok(Buffer.compare(one.everythingHeard, texts[1]) === 0);
});

t.test('a connection to itself', async (t) => {
  const wire = new WirePair(6);
  const a = wire.a.stack.create();
  const self = { address: '10.7.0.1', port: 1001 };
  wire.a.stack.bind(a, self);
  wire.a.stack.connect(a, self, wire.now);
  wire.until(() => a.state === 'ESTABLISHED', 'established');
  wire.a.send(a, new Uint8Array([1, 2, 3]));
  wire.until(() => a.readable === 3, 'heard itself');
  t.same([...wire.a.receive(a)], [1, 2, 3]);
});

t.test('close with unread text resets (RFC 2525 section 2.17)', async (t) => {
  const wire = new WirePair(7);
  const { a, b } = wire.establish();
  wire.a.send(a, new Uint8Array(10));
  wire.until(() => b.readable === 10, 'arrives');
  wire.b.close(b);
  wire.until(() => a.state === 'CLOSED', 'reset');
  t.equal(a.ERROR, 104);
  t.notOk(wire.b.stack.pcbs.has(b.ID));
});

t.test('text that arrives after close resets (RFC 9293 section 3.6.1)', async (t) => {
  const wire = new WirePair(8);
  const { a, b } = wire.establish();
  wire.b.close(b);
  wire.until(() => a.atEnd, 'the FIN arrives');
  wire.a.send(a, new Uint8Array(10));
  wire.until(() => a.state === 'CLOSED', 'reset');
  t.equal(a.ERROR, 104);
  t.notOk(wire.b.stack.pcbs.has(b.ID));
});

t.test('a FIN that overtakes its text waits for it', async (t) => {
  const wire = new WirePair(9);
  const { a, b } = wire.establish();
  wire.pass(100);
  let isFirst = true;
  wire.filter = ({ from }) => {
    const isLost = from === 'a' && isFirst;
    if (isLost) isFirst = false;
    return !isLost;
  };
  const text = pattern(4000, 9);
  wire.a.send(a, text);
  wire.a.shutdown(a);
  wire.pass(8);
  t.notOk(b.atEnd);
  t.equal(b.readable, 0, 'the first segment is lost');
  t.equal(b.state, 'ESTABLISHED');
  wire.until(() => b.FIN_RECEIVED === 1, 'repaired');
  t.same(Buffer.from(wire.b.receive(b)), Buffer.from(text));
  t.ok(b.atEnd);
});

t.test('a FIN that text has passed was none', async (t) => {
  const wire = new WirePair(12);
  const { b } = wire.establish();
  const SEG_ACK = b.SND_NXT;
  const end = seqAdd(b.RCV_NXT, 50);
  const arrives = (SEG_SEQ: number, length: number, flags = 0) =>
    arriveAtB(wire, fromPeer(b, { SEG_SEQ, SEG_ACK, flags, text: new Uint8Array(length) }));
  arrives(end, 0, FIN);
  arrives(b.RCV_NXT, 100);
  t.equal(wire.b.receive(b).length, 100);
  // As after nearly 4 GiB more: the next 10 bytes end where that FIN was.
  const passed = seqSub(seqAdd(end, -10), b.RCV_NXT);
  b.RCV_ADV = seqAdd(b.RCV_ADV, passed);
  b.RCV_NXT = seqAdd(b.RCV_NXT, passed);
  arrives(b.RCV_NXT, 10);
  t.equal(wire.b.receive(b).length, 10);
  t.equal(b.state, 'ESTABLISHED');
});

t.test('a FIN sent again in TIME-WAIT is acknowledged and starts it anew', async (t) => {
  const wire = new WirePair(10);
  const { a, b } = wire.establish();
  wire.a.close(a);
  wire.until(() => b.atEnd, 'the FIN arrives');
  wire.b.close(b);
  wire.until(() => a.state === 'TIME-WAIT', 'TIME-WAIT');
  wire.pass(30_000);
  wire.filter = () => false;
  const fin = fromPeer(a, { SEG_SEQ: a.RCV_NXT - 1, SEG_ACK: a.SND_NXT, flags: FIN });
  wire.a.stack.arrive(fin, 0, fin.length, wire.now);
  const before = wire.sent.length;
  wire.a.turn();
  t.match(wire.sent.slice(before).map(segmentIn), [
    { flags: 'ACK', header: { SEG_ACK: a.RCV_NXT } },
  ]);
  wire.pass(59_000);
  t.equal(a.state, 'TIME-WAIT');
  wire.pass(2_000);
  t.notOk(wire.a.stack.pcbs.has(a.ID));
});

t.test('a SYN reopens a connection in TIME-WAIT', async (t) => {
  const wire = new WirePair(11);
  const { a, b, listener } = wire.establish();
  wire.b.close(b);
  wire.until(() => a.atEnd, 'the FIN arrives');
  const [local, remote] = [a.local!, a.remote!];
  wire.a.close(a);
  wire.until(() => b.state === 'TIME-WAIT', 'TIME-WAIT');
  wire.until(() => !wire.a.stack.pcbs.has(a.ID), 'a is gone');
  const again = wire.a.stack.create();
  wire.a.stack.bind(again, local);
  wire.a.stack.connect(again, remote, wire.now);
  wire.until(() => wire.b.stack.acceptable(listener), 'established');
  t.equal(again.state, 'ESTABLISHED');
  t.notOk(wire.b.stack.pcbs.has(b.ID));
});

t.test('FIN and text lost in every order', async (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const wire = new WirePair(seed);
    const { a, b } = wire.establish();
    wire.weather = { loss: 300, duplication: 200, jitter: 30 };
    const texts = [pattern(wire.random(4000), seed), pattern(wire.random(4000), -seed)] as const;
    const one = new Talker(wire, 'a', a, texts[0]);
    const two = new Talker(wire, 'b', b, texts[1]);
    converse(wire, [one, two]);
    const isEqual =
      Buffer.compare(two.everythingHeard, texts[0]) === 0 &&
      Buffer.compare(one.everythingHeard, texts[1]) === 0;
    wire.a.close(a);
    wire.b.close(b);
    wire.weather = { loss: 0, duplication: 0, jitter: 0 };
    wire.pass(500_000);
    if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
    const left = wire.a.stack.pcbs.size + wire.b.stack.pcbs.size;
    if (left !== 1) t.fail(`${left} PCBs left with seed ${seed}`);
  }
  t.pass('all of them');
});
