import t from 'tap';
import { segmentIn, WirePair } from './wire-pair.ts';

t.test('three-way handshake', async (t) => {
  const wire = new WirePair(1);
  const listener = wire.b.listen(80);
  const a = wire.a.connect(80);
  t.equal(listener.state, 'LISTEN');
  t.equal(a.state, 'SYN-SENT');
  wire.until(() => wire.b.stack.acceptable(listener), 'established');
  const b = wire.b.stack.accept(listener)!;
  t.equal(a.state, 'ESTABLISHED');
  t.equal(b.state, 'ESTABLISHED');
  t.same(wire.sent.map((packet) => segmentIn(packet).flags).slice(0, 3), ['SYN', 'SYN,ACK', 'ACK']);
  t.same(a.remote, { address: '10.7.0.2', port: 80 });
  t.same(b.remote, a.local);
  t.equal(wire.b.stack.accept(listener), undefined);
});

t.test('transfer', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const sent = new TextEncoder().encode('hello');
  t.equal(wire.a.send(a, sent), 5);
  wire.until(() => b.readable === 5, 'arrives');
  t.same(wire.b.receive(b), sent);
});
