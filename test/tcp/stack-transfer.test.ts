import t from 'tap';
import { converse, pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

t.test(
  '200 transfers of 256 KiB each way arrive whole through loss, duplication and reordering',
  async (t) => {
    const SIZE = 256 * 1024;
    for (let seed = 1; seed <= 200; seed++) {
      const wire = new WirePair(seed);
      wire.keeps = false;
      const { a, b } = wire.establish();
      wire.weather = {
        loss: wire.random(101),
        duplication: wire.random(50),
        jitter: wire.random(20),
      };
      // One way at a time is large, so that the run stays short.
      const large = pattern(SIZE, seed);
      const small = pattern(wire.random(20_000), seed + 1000);
      const one = new Talker(wire, 'a', a, seed % 2 === 0 ? large : small);
      const two = new Talker(wire, 'b', b, seed % 2 === 0 ? small : large);
      converse(wire, [one, two]);
      const isEqual =
        Buffer.compare(two.everythingHeard, seed % 2 === 0 ? large : small) === 0 &&
        Buffer.compare(one.everythingHeard, seed % 2 === 0 ? small : large) === 0;
      if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
    }
    t.pass('all of them');
  },
);

t.test('windows beyond 64 KiB are used', async (t) => {
  const wire = new WirePair(7);
  wire.delay = 50;
  const { a, b } = wire.establish();
  const text = pattern(4 << 20, 7);
  const one = new Talker(wire, 'a', a, text);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  let inFlight = 0;
  converse(wire, [one, two], () => {
    inFlight = Math.max(inFlight, (a.SND_NXT - a.SND_UNA) >>> 0);
  });
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  t.ok(inFlight > 65535, `${inFlight} bytes in flight`);
});

t.test('no segment is larger than the smaller MSS', async (t) => {
  const wire = new WirePair(8, { b: { mtu: 900 } });
  const { a, b } = wire.establish();
  const one = new Talker(wire, 'a', a, pattern(100_000, 1));
  const two = new Talker(wire, 'b', b, pattern(100_000, 2));
  converse(wire, [one, two]);
  const lengths = wire.sent.map((packet) => segmentIn(packet).header.payloadLength);
  t.equal(Math.max(...lengths), 848, 'RFC 9293 section 3.7.1: MTU less 40, less 12 of options');
});

t.test('a full egress loses nothing', async (t) => {
  const wire = new WirePair(9);
  const { a, b } = wire.establish();
  const text = pattern(300_000, 9);
  const one = new Talker(wire, 'a', a, text);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  converse(wire, [one, two], () => {
    wire.a.egress.room = wire.random(4);
    wire.b.egress.room = wire.random(2);
  });
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test('a connection to the own address', async (t) => {
  const wire = new WirePair(10);
  const listener = wire.a.listen(80);
  const client = wire.a.connect(80, '10.7.0.1');
  wire.until(() => wire.a.stack.acceptable(listener), 'established');
  const server = wire.a.stack.accept(listener)!;
  const text = pattern(500_000, 10);
  const one = new Talker(wire, 'a', client, text);
  const two = new Talker(wire, 'a', server, text);
  converse(wire, [one, two]);
  t.ok(Buffer.compare(one.everythingHeard, text) === 0);
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  t.equal(wire.sent.length, 0, 'nothing left the host');
});
