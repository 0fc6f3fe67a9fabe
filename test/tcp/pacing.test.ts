import t, { type Test } from 'tap';
import { pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

/** How many segments of a transfer of 2 MiB over 100 ms left in each millisecond, and how long it took. */
function transfer(t: Test, PACING: 0 | 1): { bursts: number[]; took: number } {
  const wire = new WirePair(1, { b: { receiveBuffer: 4 * 2 ** 20 } });
  wire.delay = 50;
  const { a, b } = wire.establish();
  a.PACING = PACING;
  const text = pattern(2 ** 21, 1);
  const one = new Talker(wire, 'a', a, text);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  const began = wire.now;
  wire.until(() => {
    one.act();
    two.act();
    return two.heard === text.length;
  }, 'everything is heard');
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  const bursts = new Map<number, number>();
  for (const packet of wire.sent) {
    const { from, header } = segmentIn(packet);
    if (from !== 'a' || header.payloadLength === 0) continue;
    const at = Math.floor(packet.at);
    bursts.set(at, (bursts.get(at) ?? 0) + 1);
  }
  return { bursts: [...bursts.values()], took: wire.now - began };
}

t.test('paced text leaves over the whole round trip and takes no longer', async (t) => {
  const inBursts = transfer(t, 0);
  const paced = transfer(t, 1);
  const most = (bursts: number[]) => Math.max(...bursts);
  t.ok(most(inBursts.bursts) > 100, `${most(inBursts.bursts)} segments at once`);
  // Twice cwnd in a round trip of 100 ms, in quanta of one: cwnd was at most the text.
  const bound = Math.ceil((2 * 2 ** 21) / 1448 / 100) * 2;
  t.ok(most(paced.bursts) <= bound, `${most(paced.bursts)} segments at once, at most ${bound}`);
  t.ok(paced.took <= inBursts.took + 2 * 100, `${paced.took} and ${inBursts.took} ms`);
});
