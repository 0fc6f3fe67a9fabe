import t from 'tap';
import { ACK } from '../../tcp/wire/tcp.ts';
import { segment } from './forge.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

/** `send` writes `count` segments of which `lost`, counted from 1, do not arrive. */
function loseSegments(wire: WirePair, ...lost: number[]): void {
  let count = 0;
  wire.filter = ({ from, bytes }) => {
    return !(from === 'a' && bytes.length > 1000 && lost.includes(++count));
  };
}

t.test('only what is missing is sent again (RFC 6675)', async (t) => {
  const wire = new WirePair(1);
  wire.delay = 50;
  const { a, b } = wire.establish();
  wire.pass(1000);
  const text = pattern(9 * 1448, 1);
  loseSegments(wire, 2, 5);
  const began = wire.sent.length;
  wire.a.send(a, text);
  wire.until(() => b.readable === text.length, 'whole');
  t.same(Buffer.from(wire.b.receive(b)), Buffer.from(text));
  const sent = wire.sent.slice(began).map(segmentIn);
  const texts = sent.filter(({ from, header }) => from === 'a' && header.payloadLength > 0);
  t.equal(texts.length, 9 + 2);
  t.equal(a.BACKOFF, 0, 'and no timeout was needed');
});

t.test(
  'after a restore nothing is SACKed that has not come again (RFC 2018 section 8)',
  async (t) => {
    const wire = new WirePair(2);
    const { a, b } = wire.establish();
    wire.pass(1000);
    loseSegments(wire, 1);
    wire.a.send(a, pattern(4 * 1448, 2));
    wire.a.turn();
    wire.until(() => b.reassembly !== undefined, 'out of order');
    wire.b.turn();
    const said = wire.sent.map(segmentIn).filter(({ from }) => from === 'b');
    t.equal(said.at(-1)!.header.options.sackCount, 1);
    wire.filter = () => false;
    wire.b.restart();
    const began = wire.sent.length;
    wire.pass(20);
    const after = wire.sent.slice(began).map(segmentIn);
    const acks = after.filter(({ from }) => from === 'b');
    t.ok(acks.length > 0);
    t.ok(
      acks.every(({ header }) => header.options.sackCount === 0 && header.SEG_ACK === b.RCV_NXT),
    );
  },
);

t.test('a peer that reneges in the middle of a recovery is given everything', async (t) => {
  let reneged = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const wire = new WirePair(seed);
    wire.keeps = false;
    wire.delay = 20;
    const { a, b } = wire.establish();
    wire.weather = { loss: 30, duplication: 0, jitter: 0 };
    const text = pattern(300_000, seed);
    const one = new Talker(wire, 'a', a, text);
    const two = new Talker(wire, 'b', b, new Uint8Array(0));
    converse(wire, [one, two], () => {
      const { reassembly } = two.pcb;
      if (reassembly === undefined || wire.random(4) !== 0) return;
      reneged++;
      two.pcb.reassembly = undefined;
    });
    if (Buffer.compare(two.everythingHeard, text) !== 0) t.fail(`bytes differ with seed ${seed}`);
  }
  t.ok(reneged > 100, `${reneged} times`);
});

t.test('after its engine died the sender learns what the peer has', async (t) => {
  const wire = new WirePair(3);
  wire.delay = 50;
  const { a, b } = wire.establish();
  wire.pass(1000);
  loseSegments(wire, 1, 4);
  const text = pattern(10 * 1448, 3);
  wire.a.send(a, text);
  wire.a.turn();
  wire.a.restart(10);
  const began = wire.sent.length;
  wire.until(() => b.readable === text.length, 'whole');
  const again = wire.sent
    .slice(began)
    .map(segmentIn)
    .filter(({ from, header }) => from === 'a' && header.payloadLength > 0);
  t.equal(again.length, 2, 'the first, and the other that its answer does not SACK');
});

t.test('blocks that lie are not believed', async (t) => {
  const wire = new WirePair(4);
  const { a } = wire.establish();
  wire.pass(1000);
  wire.filter = () => false;
  wire.a.send(a, pattern(10_000, 4));
  wire.a.turn();
  const timestamps = { value: a.TS_RECENT, echo: 0 };
  const { SND_UNA, SND_NXT } = a;
  for (const sack of [
    [[SND_NXT, SND_NXT + 1000]],
    [[SND_UNA + 2000, SND_NXT + 1]],
    [[SND_UNA + 2000, SND_UNA + 1000]],
    [[SND_UNA - 1000, SND_UNA + 500]],
    [[SND_UNA + 1000, SND_UNA + 1000]],
  ] as [number, number][][]) {
    const bytes = segment(a.remote!, a.local!, {
      SEG_SEQ: a.RCV_NXT,
      SEG_ACK: SND_UNA,
      flags: ACK,
      timestamps,
      sack,
    });
    wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
    t.equal(a.flight?.sacked, 0, JSON.stringify(sack));
  }
});
