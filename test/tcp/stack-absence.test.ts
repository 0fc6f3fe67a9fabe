import t from 'tap';
import type { Pcb } from '../../tcp/pcb.ts';
import { pattern } from './transfer.ts';
import { type Segment, type Station, segmentIn, WirePair } from './wire-pair.ts';

const HOUR = 3600_000;
const DAY = 24 * HOUR;

/** How an engine can be away for `pause` milliseconds. */
const ABSENCES: Record<string, (station: Station, pause: number) => void> = {
  'the host stayed up': (station, pause) => station.restart(pause),
  'the host went down': (station, pause) => station.reboot(700, pause),
  'the host went down, and its clock starts beyond all deadlines': (station, pause) =>
    station.reboot(100 * DAY, pause),
  'the host went down, and its wall clock went back': (station) => station.reboot(700, 0),
};

/** What A says in the next `milliseconds`. */
function heardFromA(wire: WirePair, milliseconds: number): Segment[] {
  const began = wire.sent.length;
  wire.pass(milliseconds);
  return wire.sent
    .slice(began)
    .map(segmentIn)
    .filter(({ from }) => from === 'a');
}

for (const [how, beAway] of Object.entries(ABSENCES)) {
  t.test(`a day away with keep-alive: one question, no matter how long (${how})`, async (t) => {
    const wire = new WirePair(1);
    const { a } = wire.establish();
    a.KEEPALIVE = 1;
    wire.a.turn();
    wire.pass(HOUR);
    beAway(wire.a, DAY);
    const again = wire.a.pcb(a.ID);
    t.equal(heardFromA(wire, 1000).length, 1, 'it speaks up');
    t.equal(again.state, 'ESTABLISHED');
    wire.pass(HOUR - 2000);
    t.equal(heardFromA(wire, 2000).length, 1, 'it asks after two hours of silence in its presence');
    t.equal(again.state, 'ESTABLISHED');
    t.equal(again.KEEPALIVE_PROBES, 0, 'and is answered');
  });

  t.test(`a day away between keep-alives (${how})`, async (t) => {
    const wire = new WirePair(2);
    const { a } = wire.establish();
    a.KEEPALIVE = 1;
    wire.a.turn();
    wire.pass(HOUR);
    wire.filter = () => false;
    wire.pass(2 * HOUR);
    t.equal(a.state, 'CLOSED', 'nobody answers for 11 minutes');

    const other = new WirePair(3);
    const { a: asked } = other.establish();
    asked.KEEPALIVE = 1;
    other.a.turn();
    other.filter = () => false;
    other.pass(2 * HOUR + 200_000);
    t.equal(asked.KEEPALIVE_PROBES, 3);
    other.filter = () => true;
    beAway(other.a, DAY);
    t.ok(heardFromA(other, 10_000).length <= 2);
    t.equal(other.a.pcb(asked.ID).state, 'ESTABLISHED');
  });

  t.test(`the user timeout goes on where it was (${how})`, async (t) => {
    const wire = new WirePair(4);
    const { a } = wire.establish();
    a.USER_TIMEOUT = 100_000;
    wire.filter = () => false;
    wire.a.send(a, new Uint8Array(10));
    wire.a.turn();
    wire.pass(60_000);
    beAway(wire.a, DAY);
    const again = wire.a.pcb(a.ID);
    wire.pass(30_000);
    t.equal(again.state, 'ESTABLISHED', 'what nobody listened to does not count');
    wire.pass(20_000);
    t.equal(again.state, 'CLOSED');
    t.equal(again.ERROR, 110, 'ETIMEDOUT');
  });

  t.test(`a peer that gave up meanwhile (${how})`, async (t) => {
    const wire = new WirePair(5);
    const { a, b } = wire.establish();
    wire.a.send(a, new Uint8Array(10));
    wire.pass(100);
    wire.b.abort(b);
    wire.filter = () => false;
    wire.b.turn();
    wire.filter = () => true;
    beAway(wire.a, DAY);
    const again = wire.a.pcb(a.ID);
    t.equal(heardFromA(wire, 1000).length, 1);
    t.equal(again.state, 'CLOSED');
    t.equal(again.ERROR, 104, 'ECONNRESET');
    t.equal(wire.a.stack.deadline, Infinity, 'that is all');
  });

  t.test(`FIN-WAIT-2 has at least what was left of it (${how})`, async (t) => {
    const wire = new WirePair(10);
    const { a } = wire.establish();
    wire.a.close(a);
    wire.until(() => a.state === 'FIN-WAIT-2', 'FIN-WAIT-2');
    const ends = wire.now + 60_000;
    wire.pass(10_000);
    const left = ends - wire.now;
    beAway(wire.a, 20_000);
    wire.pass(left - 20_001);
    t.equal(wire.a.stack.pcbs.size, 1);
    wire.pass(20_001);
    t.equal(wire.a.stack.pcbs.size, 0);
  });

  t.test(`the round-trip time is not the absence (${how})`, async (t) => {
    const wire = new WirePair(6);
    const { a, b } = wire.establish();
    wire.a.send(a, pattern(5000, 6));
    wire.a.turn();
    beAway(wire.a, DAY);
    const again = wire.a.pcb(a.ID);
    wire.until(() => b.readable === 5000 && again.SND_UNA === again.sendEndSeq, 'it arrives');
    t.ok(again.SRTT < 1000, `${again.SRTT} ms`);
    t.ok(again.RTO < 3000, `${again.RTO} ms`);
  });

  t.test(`connect has its retries once (${how})`, async (t) => {
    const wire = new WirePair(7);
    wire.filter = () => false;
    const a = wire.a.connect(80);
    wire.pass(20_000);
    let began = wire.sent.length;
    beAway(wire.a, DAY);
    const again = wire.a.pcb(a.ID);
    t.equal(again.BACKOFF, 4);
    const restarted = wire.now;
    wire.until(() => again.state === 'CLOSED', 'given up');
    t.equal(again.ERROR, 110);
    t.same(
      wire.sent.slice(began).map(({ at }) => Math.floor(at - restarted)),
      [0, 16_000, 48_000, 112_000],
      'once at once, and then on from where it was',
    );
    began = wire.sent.length;
    wire.pass(DAY);
    t.equal(wire.sent.length, began);
  });
}

t.test(
  '25 days away: a peer whose timestamps have wrapped is heard (RFC 7323 section 5.5)',
  async (t) => {
    for (const beAway of [ABSENCES['the host stayed up']!, ABSENCES['the host went down']!]) {
      const wire = new WirePair(8);
      const { a, b } = wire.establish();
      wire.a.send(a, new Uint8Array(1));
      wire.pass(100);
      beAway(wire.a, 25 * DAY);
      b.TS_OFFSET = (b.TS_OFFSET + 2 ** 31 + DAY) >>> 0;
      wire.b.send(b, pattern(10, 8));
      wire.pass(1000);
      t.equal(wire.a.pcb(a.ID).readable, 10);
    }
  },
);

t.test('many connections speak up one after the other', async (t) => {
  const wire = new WirePair(9);
  wire.b.listen(80, 1000);
  const pcbs: Pcb[] = [];
  for (let i = 0; i < 400; i++) {
    const pcb = wire.a.connect(80);
    pcb.KEEPALIVE = 1;
    pcbs.push(pcb);
  }
  wire.pass(1000);
  t.ok(pcbs.every(({ state }) => state === 'ESTABLISHED'));
  wire.pass(HOUR);
  wire.a.restart(DAY);
  const began = wire.sent.length;
  wire.pass(HOUR / 2);
  const at = wire.sent.slice(began).map((packet) => packet.at);
  t.equal(at.length, 400, 'each once');
  const most = Math.max(...at.map((one) => at.filter((other) => other === one).length));
  t.ok(most < 60, `${most} at once`);
});
