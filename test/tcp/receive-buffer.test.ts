import t from 'tap';
import { pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

const KIB = 1024;
/** A congestion window that is in nobody's way: it is the receiver that is looked at here. */
const LARGE = 8192 * KIB;

function pair(seed: number): WirePair {
  const wire = new WirePair(seed, {
    a: { sendBuffer: 4096 * KIB },
    b: { receiveBuffer: 64 * KIB, receiveBufferMax: 1024 * KIB },
  });
  wire.delay = 50;
  wire.keeps = false;
  return wire;
}

t.test('the scale of the window is chosen for what the buffer may become', async (t) => {
  const wire = pair(1);
  const { b } = wire.establish();
  t.ok(0xffff * 2 ** b.RCV_WSCALE >= 1024 * KIB, 'RFC 7323 section 2.3');
});

t.test('the buffer of a fast reader on a long path grows, up to the ceiling', async (t) => {
  const wire = pair(2);
  const { a, b } = wire.establish();
  const text = pattern(8192 * KIB, 2);
  const one = new Talker(wire, 'a', a, text);
  a.cwnd = LARGE;
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  t.equal(b.receiveBuffer, 64 * KIB);
  wire.until(() => {
    one.act();
    two.act();
    return two.heard === text.length;
  }, 'everything is heard');
  t.equal(b.receiveBuffer, 1024 * KIB);
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test('the buffer of a slow reader stays', async (t) => {
  const wire = pair(3);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(2048 * KIB, 3));
  let heard = 0;
  for (let i = 0; i < 200; i++) {
    wire.pass(100);
    const target = new Uint8Array(8 * KIB);
    heard += wire.b.stack.receive(b, target, wire.now);
  }
  t.ok(heard > 1024 * KIB, `${heard} bytes`);
  t.equal(b.receiveBuffer, 64 * KIB);
});

t.test(
  'what a large buffer has offered is taken after a restore, and its edge stays',
  async (t) => {
    const wire = pair(4);
    const { a, b } = wire.establish();
    const text = pattern(8192 * KIB, 4);
    const one = new Talker(wire, 'a', a, text);
    a.cwnd = LARGE;
    let two = new Talker(wire, 'b', b, new Uint8Array(0));
    wire.until(() => {
      one.act();
      two.act();
      return b.receiveBuffer === 1024 * KIB && b.RCV_WND > 500 * KIB;
    }, 'it has grown');
    wire.b.turn();
    const { RCV_ADV } = b;
    const before = two.everythingHeard;
    wire.b.restart(10);
    const again = wire.b.pcb(b.ID);
    t.equal(again.RCV_ADV, RCV_ADV);
    wire.pass(5000);
    two = new Talker(wire, 'b', again, new Uint8Array(0));
    wire.until(() => {
      one.act();
      two.act();
      return before.length + two.heard === text.length;
    }, 'everything is heard');
    t.ok(Buffer.compare(Buffer.concat([before, two.everythingHeard]), text) === 0);
  },
);

t.test('the first segments are acknowledged one by one', async (t) => {
  const wire = new WirePair(5);
  wire.delay = 50;
  const { a } = wire.establish();
  wire.pass(200);
  const began = wire.sent.length;
  wire.a.send(a, pattern(10 * a.SND_MSS, 5));
  wire.pass(200);
  const acks = wire.sent.slice(began).filter(({ from }) => from === 'b');
  t.ok(acks.every((packet) => segmentIn(packet).header.payloadLength === 0));
  t.equal(acks.at(-1)!.at - wire.sent[began]!.at, 50, 'nothing waits for a second segment');
});
