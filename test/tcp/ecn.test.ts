import t from 'tap';
import { seqAdd, seqLessThan, seqMax } from '../../tcp/sequence.ts';
import { ACK, CWR, ECE, SYN } from '../../tcp/wire/tcp.ts';
import { ecnOf, mark } from '../mark.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { ADDRESS, ADDRESS6, segmentIn, WirePair } from './wire-pair.ts';

const ASKING = { a: { ecn: true } };

for (const [version, address] of [
  ['IPv4', ADDRESS.b],
  ['IPv6', ADDRESS6.b],
] as const) {
  t.test(`${version}: a router that marks instead of dropping slows a sender down`, async (t) => {
    const wire = new WirePair(1, ASKING);
    const { a, b } = wire.establish(80, address);
    const marked = new Set<number>();
    let capable = 0;
    wire.filter = ({ bytes }) => {
      if (ecnOf(bytes) !== 0 && ++capable % 100 === 0 && mark(bytes)) marked.add(wire.sent.length);
      return true;
    };
    const text = pattern(1_000_000, 1);
    const one = new Talker(wire, 'a', a, text);
    const two = new Talker(wire, 'b', b, pattern(10, 2));
    converse(wire, [one, two]);
    t.ok(Buffer.compare(two.everythingHeard, text) === 0);
    t.ok(marked.size > 3, `${marked.size} marks`);
    t.ok(a.ssthresh < 1_000_000, 'it has slowed down');

    let highest = a.ISS;
    let reductions = 0;
    let last: number | undefined;
    for (const packet of wire.sent) {
      const { header } = segmentIn(packet);
      if (packet.from === 'b') continue;
      const end = seqAdd(header.SEG_SEQ, header.payloadLength);
      const isNew = header.payloadLength > 0 && seqLessThan(highest, end);
      t.equal(ecnOf(packet.bytes) !== 0, isNew, 'new text, and only that, is ECN-capable');
      if (header.flags & CWR && header.flags & ACK) {
        reductions++;
        if (last !== undefined) t.ok(seqLessThan(last, header.SEG_SEQ));
        last = header.SEG_SEQ;
      }
      highest = seqMax(highest, end);
    }
    t.ok(reductions > 3 && reductions <= marked.size, `${reductions} reductions`);
  });
}

t.test('a receiver that dies echoes the mark that it has acknowledged all the same', async (t) => {
  const wire = new WirePair(3, ASKING);
  const { a, b } = wire.establish();
  const { ID } = b;
  wire.filter = ({ bytes }) => mark(bytes) || true;
  wire.a.send(a, pattern(1000, 1));
  wire.until(() => b.RECEIVE_END === 1000, 'the text has come');
  wire.b.turn();
  wire.filter = () => false;
  wire.b.restart(10);
  const before = wire.sent.length;
  wire.pass(100);
  const spoken = wire.sent.slice(before).filter(({ from }) => from === 'b');
  t.ok(spoken.length > 0);
  for (const packet of spoken) t.ok(segmentIn(packet).header.flags & ECE);
  t.equal(wire.b.pcb(ID).ECN_ECHO, 1);
});

t.test('a sender that dies goes on to send ECN-capable text', async (t) => {
  const wire = new WirePair(4, ASKING);
  const { a } = wire.establish();
  const { ID } = a;
  wire.a.turn();
  wire.a.restart(10);
  wire.pass(100);
  wire.a.send(wire.a.pcb(ID), pattern(1000, 1));
  wire.pass(10);
  const withText = wire.sent.filter((packet) => segmentIn(packet).header.payloadLength > 0);
  t.equal(withText.length, 1);
  t.equal(ecnOf(withText[0]!.bytes), 2);
});

t.test('who has fallen back and dies does not ask again', async (t) => {
  const wire = new WirePair(5, ASKING);
  wire.filter = () => false;
  wire.a.connect(80);
  wire.pass(1500);
  wire.a.restart(10);
  wire.pass(1500);
  const asks = wire.sent.map((packet) => {
    const { flags } = segmentIn(packet).header;
    t.ok(flags & SYN);
    return (flags & (ECE | CWR)) !== 0;
  });
  t.same(asks.slice(0, 3), [true, false, false]);
});
