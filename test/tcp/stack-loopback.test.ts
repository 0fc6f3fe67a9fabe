import t from 'tap';
import { Loopback } from '../../tcp/loopback.ts';
import { packet } from './forge.ts';
import { pattern } from './transfer.ts';
import { ADDRESS, ADDRESS6, WirePair } from './wire-pair.ts';

const OWN = [ADDRESS.b, ADDRESS6.b];

t.test('a connection to ourselves, and all that fits through it, within one turn', async (t) => {
  for (const address of OWN) {
    const wire = new WirePair(1);
    const { b } = wire;
    const listener = b.listen(80);
    const one = b.connect(80, address);
    b.turn();
    const other = b.stack.accept(listener)!;
    const text = pattern(1_000_000, 1);
    t.equal(b.send(one, text), text.length);
    b.turn();
    t.equal(Buffer.compare(b.receive(other), text), 0);
    t.equal(wire.sent.length, 0, 'nothing of it is on the wire');
  }
});

t.test('however many connections begin at once, none of their packets is lost', async (t) => {
  const wire = new WirePair(2);
  const { b } = wire;
  b.listen(80, 4096);
  const all = Array.from({ length: 1500 }, () => b.connect(80, ADDRESS.b));
  b.turn();
  t.equal(all.filter(({ state }) => state === 'ESTABLISHED').length, all.length);
});

t.test('packets that answer each other without end are lost in the end', async (t) => {
  const wire = new WirePair(3);
  const { b } = wire;
  b.listen(80);
  const one = b.connect(80, ADDRESS.b);
  b.turn();
  // No two packets of ours do so, as far as is known: here whatever is taken comes again, and text that comes again is answered.
  const take = Loopback.prototype.take;
  t.teardown(() => {
    Loopback.prototype.take = take;
  });
  let last: Uint8Array[] = [];
  let calls = 0;
  Loopback.prototype.take = function (this: Loopback) {
    if (++calls > 100_000) throw new Error('without end');
    const taken = take.call(this);
    if (taken.length > 0) last = taken;
    return last;
  };
  b.send(one, pattern(10, 1));
  b.turn();
  t.ok(calls > 10 && calls < 10_000, `${calls} rounds`);
});

t.test(
  'a datagram from our own address to a port is refused, and nobody else sees that',
  async (t) => {
    const wire = new WirePair(4);
    for (const address of OWN) {
      const datagram = packet(address, address, 17, new Uint8Array(12));
      wire.b.stack.arrive(datagram, 0, datagram.length, wire.now);
      wire.b.turn();
    }
    t.equal(wire.sent.length, 0);
  },
);
