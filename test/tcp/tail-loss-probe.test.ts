import t from 'tap';
import { pattern } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

for (const [name, lost] of [
  ['the last segment', [5]],
  ['the last two', [4, 5]],
  ['all but the first', [2, 3, 4, 5]],
  ['everything', [1, 2, 3, 4, 5]],
] as const) {
  t.test(`100 ms: ${name} lost costs no timeout (RFC 8985 section 7)`, async (t) => {
    const wire = new WirePair(1);
    wire.delay = 50;
    const { a, b } = wire.establish();
    wire.pass(1000);
    let count = 0;
    wire.filter = ({ from, bytes }) => {
      return !(from === 'a' && bytes.length > 100 && (lost as readonly number[]).includes(++count));
    };
    const text = pattern(5 * 1448, 1);
    wire.a.send(a, text);
    let timeouts = 0;
    wire.until(() => {
      timeouts += a.BACKOFF;
      return a.SND_UNA === a.SND_NXT && b.readable === text.length;
    }, 'whole');
    t.equal(timeouts, 0);
    t.same(Buffer.from(wire.b.receive(b)), Buffer.from(text));
    wire.a.send(a, pattern(10, 1));
    wire.pass(1000);
    t.ok(a.ssthresh < 2 ** 32 - 1, 'and the loss was noticed (RFC 8985 section 7.4)');
  });
}

t.test(
  'a probe that was not needed is not taken for a loss (RFC 8985 section 7.4.2)',
  async (t) => {
    const wire = new WirePair(2);
    wire.delay = 50;
    const { a, b } = wire.establish();
    wire.pass(1000);
    const began = wire.sent.length;
    let isFirst = true;
    wire.filter = ({ from }) => {
      const isLost = from === 'b' && isFirst;
      if (isLost) isFirst = false;
      return !isLost;
    };
    wire.a.send(a, pattern(2 * 1448, 2));
    wire.pass(1000);
    const texts = wire.sent
      .slice(began)
      .map(segmentIn)
      .filter(({ from, header }) => from === 'a' && header.payloadLength > 0);
    t.equal(texts.length, 3, 'the last one twice');
    t.equal(b.readable, 2 * 1448);
    t.equal(a.ssthresh, 2 ** 32 - 1);
    t.equal(a.IS_PROBE_OUT, 0);
  },
);
