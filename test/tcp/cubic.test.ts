import t from 'tap';
import { cubic } from '../../tcp/congestion-control/cubic.ts';
import { CONGESTION_CONTROLS } from '../../tcp/congestion-control/selected.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

t.test(
  'after a loss cwnd is back at W_max when K seconds have passed (RFC 9438 section 4.2)',
  async (t) => {
    const wire = new WirePair(1);
    const { a } = wire.establish();
    const SMSS = a.SND_MSS;
    const W_max = 200;
    a.cwnd = W_max * SMSS;
    a.SRTT = 0;
    a.FlightSize = W_max * SMSS;
    cubic.loss(a);
    t.equal(a.ssthresh, Math.floor(0.7 * W_max * SMSS), 'section 4.6');
    a.cwnd = a.ssthresh;
    // One ACK a millisecond: a round trip of 200 ms, in which Reno would be slower.
    // Figure 2: K = cbrt((W_max - cwnd_epoch) / C).
    const K = Math.cbrt((W_max * 0.3) / 0.4);
    const window = () => a.cwnd / SMSS;
    const began = 10_000;
    for (let now = began; now <= began + K * 1000; now += 1)
      cubic.acknowledged(a, SMSS, Infinity, now);
    t.ok(Math.abs(window() - W_max) < 2, `${window()} segments, convex from here`);
    for (let now = began; now <= began + 2000; now += 1) {
      cubic.acknowledged(a, SMSS, Infinity, now + K * 1000);
    }
    const expected = 0.4 * 2 ** 3 + W_max;
    t.ok(window() > expected - 2, `${window()} segments, and ${expected} by the cubic`);
  },
);

t.test('a second loss below W_max gives way to others (section 4.7)', async (t) => {
  const wire = new WirePair(2);
  const { a } = wire.establish();
  a.cwnd = 100 * a.SND_MSS;
  cubic.loss(a);
  t.equal(a.CUBIC_W_MAX, 100 * a.SND_MSS);
  a.cwnd = 80 * a.SND_MSS;
  cubic.loss(a);
  t.equal(a.CUBIC_W_MAX, (80 * a.SND_MSS * 1.7) / 2);
});

t.test('after a timeout nothing is known of the old W_max (section 4.8)', async (t) => {
  const wire = new WirePair(5);
  const { a } = wire.establish();
  a.cwnd = 100 * a.SND_MSS;
  a.FlightSize = a.cwnd;
  cubic.timeout(a, true);
  a.cwnd = a.ssthresh;
  a.FlightSize = a.cwnd;
  cubic.acknowledged(a, a.SND_MSS, Infinity, wire.now);
  t.equal(a.CUBIC_W_MAX, 70 * a.SND_MSS, 'the window at which congestion avoidance begins');
  t.equal(a.CUBIC_CWND_EPOCH, a.CUBIC_W_MAX, 'K is 0');
});

t.test('segments that the path makes smaller leave W_max where it was', async (t) => {
  const wire = new WirePair(6);
  const { a } = wire.establish();
  const W_max = 200 * a.SND_MSS;
  a.cwnd = W_max;
  a.FlightSize = W_max;
  cubic.loss(a);
  a.cwnd = a.ssthresh;
  const began = 10_000;
  cubic.acknowledged(a, a.SND_MSS, Infinity, began);
  a.SND_MSS = a.SND_MSS / 4;
  const K = Math.cbrt((0.3 * W_max) / (0.4 * a.SND_MSS));
  for (let now = began; now <= began + K * 1000; now += 1)
    cubic.acknowledged(a, a.SND_MSS, Infinity, now);
  t.ok(Math.abs(a.cwnd - W_max) < 8 * a.SND_MSS, `${a.cwnd} bytes, convex from here`);
});

t.test('CUBIC is the default, Reno is chosen for each connection and for good', async (t) => {
  for (const [number, name] of CONGESTION_CONTROLS.entries()) {
    const wire = new WirePair(3);
    wire.keeps = false;
    const { a, b } = wire.establish();
    t.equal(CONGESTION_CONTROLS[a.CONGESTION_CONTROL], 'cubic');
    a.CONGESTION_CONTROL = number;
    wire.a.turn();
    wire.a.restart();
    t.equal(CONGESTION_CONTROLS[wire.a.pcb(a.ID).CONGESTION_CONTROL], name);
    const text = pattern(500_000, 3);
    const one = new Talker(wire, 'a', a, text);
    const two = new Talker(wire, 'b', b, new Uint8Array(0));
    wire.weather = { loss: 20, duplication: 0, jitter: 0 };
    converse(wire, [one, two]);
    t.ok(Buffer.compare(two.everythingHeard, text) === 0, name);
  }
});

t.test('accepted connections inherit it, and an unknown one is refused', async (t) => {
  const wire = new WirePair(4);
  const listener = wire.b.listen(80);
  listener.CONGESTION_CONTROL = 1;
  wire.a.connect(80);
  wire.until(() => wire.b.stack.acceptable(listener), 'established');
  const b = wire.b.stack.accept(listener)!;
  t.equal(b.CONGESTION_CONTROL, 1);
  b.CONGESTION_CONTROL = CONGESTION_CONTROLS.length;
  t.throws(() => new WirePair(4).b.stack.restore(b.record.slice()), RecordError);
});
