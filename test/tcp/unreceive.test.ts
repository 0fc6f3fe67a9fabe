import t from 'tap';
import { Durability } from '../../tcp/durability.ts';
import { pattern } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

const TEXT = pattern(3000, 1);

t.test('what the peer has not been told of may be forgotten, and comes again', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, TEXT);
  let wasAsked = false;
  wire.onArrival = () => {
    if (wasAsked || b.readable === 0) return;
    wasAsked = true;
    t.equal(wire.b.stack.unacknowledged(b), b.readable, 'no ACK has left');
    const count = b.readable;
    t.equal(wire.b.receive(b).length, count);
    t.equal(wire.b.stack.unacknowledged(b), count, 'read or not');
    wire.b.turn();
    t.equal(wire.b.stack.unacknowledged(b), 0, 'now one has');
  };
  wire.until(() => wasAsked, 'text arrives');
});

t.test('an engine that dies before it has delivered what was read gives it back', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  let isRead = false;
  // The engine commits that the text was read, and dies before an ACK or the reply to the reader leaves.
  wire.filter = ({ from }) => from === 'a' || !isRead;
  wire.onArrival = () => {
    if (isRead || b.readable < 1000) return;
    isRead = true;
    t.ok(wire.b.receive(b).length >= 1000);
  };
  wire.a.send(a, TEXT);
  wire.until(() => isRead, 'text is read');
  const { RECEIVE_START, RECEIVE_END, ID, RCV_ADV } = b;
  wire.b.restart(10);
  const again = wire.b.pcb(ID);
  t.equal(again.RECEIVE_START, RECEIVE_START);
  wire.b.stack.unreceive(again, RECEIVE_START);
  t.equal(again.RECEIVE_START, 0);
  t.equal(again.RECEIVE_END, 0);
  t.equal(again.RCV_ADV, RCV_ADV, 'what was offered stays offered');
  t.ok(RECEIVE_END >= 1000);
  wire.filter = () => true;
  wire.onArrival = () => {};
  wire.until(() => again.readable === TEXT.length, 'all of it comes again');
  t.same(wire.b.receive(again), TEXT);
});

t.test('nothing is given back that something else follows from', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const askedWhen = (change: () => void) => {
    let answer = -1;
    wire.a.send(a, pattern(100, 2));
    wire.onArrival = () => {
      if (answer >= 0 || b.readable === 0) return;
      change();
      answer = wire.b.stack.unacknowledged(b);
      wire.b.receive(b);
    };
    wire.until(() => answer >= 0, 'text arrives');
    return answer;
  };
  t.equal(
    askedWhen(() => {}),
    100,
  );
  t.equal(
    askedWhen(() => {
      b.DURABILITY = Durability.POWER;
    }),
    0,
    'its replies wait, and more happens meanwhile',
  );
  b.DURABILITY = Durability.PROCESS;
  wire.a.shutdown(a);
  t.equal(askedWhenEnded(), 0, 'a FIN');
  function askedWhenEnded(): number {
    wire.onArrival = () => {};
    wire.until(() => b.FIN_RECEIVED === 1, 'the FIN arrives');
    return wire.b.stack.unacknowledged(b);
  }
});
