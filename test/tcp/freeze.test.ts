import t from 'tap';
import { seqSub } from '../../tcp/sequence.ts';
import { pattern } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

t.test('a freeze takes what was offered, and closes the window at its right edge', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const text = pattern(3_000_000, 1);
  let sent = 0;
  const sendMore = () => {
    sent += wire.a.send(a, text.subarray(sent));
  };
  sendMore();
  wire.until(() => b.readable > 100_000, 'some of it has arrived');
  wire.b.stack.beginFreeze();
  t.notOk(wire.b.stack.isSettled(wire.now), 'text is on its way');
  const edge = b.RCV_ADV;
  wire.until(() => {
    sendMore();
    return wire.b.stack.isSettled(wire.now);
  }, 'the window is full');
  t.equal(b.RCV_ADV, edge, 'no window has opened');
  t.ok(seqSub(edge, b.RCV_NXT) < 2 ** b.RCV_WSCALE, 'filled but for what no window can say');
  wire.pass(20);
  t.equal(a.SND_UNA, b.RCV_NXT, 'all of it is acknowledged');
  t.equal(a.SND_WND, 0);
  t.equal(segmentIn(wire.sent.filter(({ from }) => from === 'b').at(-1)!).header.SEG_WND, 0);

  wire.b.restart(60_000);
  const again = wire.b.pcb(b.ID);
  const heard: Uint8Array[] = [];
  wire.until(() => {
    sendMore();
    heard.push(wire.b.receive(again).slice());
    return seqSub(again.RCV_NXT, a.ISS) > text.length;
  }, 'the rest arrives');
  t.same(Buffer.concat([...heard, wire.b.receive(again)]), Buffer.from(text));
});

t.test('who is silent for long enough has nothing on its way', async (t) => {
  const wire = new WirePair(2);
  const { a } = wire.establish();
  wire.a.send(a, pattern(100, 2));
  wire.pass(50);
  wire.b.stack.beginFreeze();
  t.notOk(wire.b.stack.isSettled(wire.now));
  wire.pass(1000);
  t.ok(wire.b.stack.isSettled(wire.now));
});

t.test('nobody is let in meanwhile', async (t) => {
  const wire = new WirePair(3);
  wire.b.listen(80);
  wire.b.stack.beginFreeze();
  const caller = wire.a.connect(80);
  wire.pass(500);
  t.equal(caller.state, 'SYN-SENT');
  t.equal(wire.sent.filter(({ from }) => from === 'b').length, 0);
});
