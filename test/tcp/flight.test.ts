import t from 'tap';
import { Flight } from '../../tcp/flight.ts';
import { seqAdd } from '../../tcp/sequence.ts';
import { seeded } from '../seeded.ts';

const SIZE = 400;
type State = 'flying' | 'sacked' | 'lost';

/** The same, one number at a time. */
class Plain {
  readonly states: State[] = [];
  start = 0;

  count(state: State): number {
    return this.states.slice(this.start).filter((it) => it === state).length;
  }

  set(from: number, to: number, state: State): void {
    for (let i = Math.max(from, this.start); i < Math.min(to, SIZE); i++) this.states[i] = state;
  }
}

t.test('it counts as a plain model does, also where sequence numbers wrap', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20260101);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  for (let round = 0; round < 400; round++) {
    const ISS = random(2) === 0 ? 1000 : 2 ** 32 - random(SIZE);
    const at = (offset: number) => seqAdd(ISS, offset);
    const flight = new Flight(ISS);
    const plain = new Plain();
    for (let step = 0; step < 80; step++) {
      const end = plain.states.length;
      const from = plain.start + random(Math.max(1, end - plain.start));
      const to = Math.min(end, from + 1 + random(60));
      switch (random(8)) {
        case 0:
        case 1: {
          const next = Math.min(SIZE, end + 1 + random(40));
          if (next > end) flight.sent(at(end), at(next), step >> 2);
          for (let i = end; i < next; i++) plain.states.push('flying');
          break;
        }
        case 2: {
          // The peer never says that it has the first one and yet does not acknowledge it.
          const left = Math.max(from, plain.start + 1);
          flight.sack(at(left), at(to));
          plain.set(left, to, 'sacked');
          break;
        }
        case 3:
          if (from >= to) break;
          flight.beginAcknowledgment(step, 1, Infinity);
          flight.acknowledge(at(to));
          plain.start = to;
          break;
        case 4:
          if (from >= to || plain.states.slice(from, to).includes('sacked')) break;
          flight.sent(at(from), at(to), step);
          plain.set(from, to, 'flying');
          break;
        case 5: {
          const count = 1 + random(30);
          flight.loseFirst(count);
          for (let i = plain.start; i < Math.min(plain.start + count, end); i++) {
            if (plain.states[i] !== 'sacked') plain.states[i] = 'lost';
          }
          break;
        }
        case 6:
          if (random(5) !== 0) break;
          flight.loseAll();
          plain.states.forEach((state, i) => {
            if (i >= plain.start && state !== 'sacked') plain.states[i] = 'lost';
          });
          break;
        case 7:
          flight.takeBackLost();
          plain.states.forEach((state, i) => {
            if (i >= plain.start && state === 'lost') plain.states[i] = 'flying';
          });
      }
      const first = plain.states.findIndex((state, i) => i >= plain.start && state === 'lost');
      let past = first;
      while (plain.states[past] === 'lost') past++;
      const expected = {
        pipe: plain.count('flying'),
        sacked: plain.count('sacked'),
        lost: plain.count('lost'),
        end: at(plain.states.length),
        first: at(first < 0 ? plain.states.length : first),
        past: at(first < 0 ? plain.states.length : past),
      };
      const { pipe, sacked, lost, firstLost, firstLostEnd } = flight;
      const found = { pipe, sacked, lost, end: flight.end, first: firstLost, past: firstLostEnd };
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        t.same(found, expected, `round ${round}, step ${step}`);
        return;
      }
    }
  }
  t.pass('in every round');
});

t.test('what leaves in one turn is one part', async (t) => {
  const flight = new Flight(0);
  for (let i = 0; i < 1000; i++) flight.sent(i * 1000, (i + 1) * 1000, 5);
  t.equal(flight.parts, 1);
  flight.sack(10_000, 11_000);
  t.equal(flight.parts, 3);
  flight.sack(11_000, 12_000);
  t.equal(flight.parts, 3, 'and what is SACKed side by side');
});

t.test('a peer that SACKs every other number cannot make it grow', async (t) => {
  const flight = new Flight(0);
  const SENT = 1_000_000;
  flight.sent(0, SENT, 1);
  for (let i = 1; i < SENT; i += 2) flight.sack(i, i + 1);
  t.equal(flight.parts, Flight.MAX_PARTS);
  t.equal(flight.pipe + flight.sacked, SENT);
  for (let i = 0; i < 10_000; i++) flight.sent(SENT + i, SENT + i + 1, 2 + i);
  t.ok(flight.parts <= Flight.MAX_PARTS + 1, `${flight.parts} parts`);
});

t.test('the segment sent last of those delivered (RFC 8985 section 6.2, step 2)', async (t) => {
  const flight = new Flight(0);
  flight.sent(0, 100, 10);
  flight.sent(100, 200, 20);
  flight.sent(200, 300, 30);
  flight.beginAcknowledgment(50, 20, Infinity);
  flight.sack(100, 200);
  t.same([flight.deliveredTime, flight.deliveredEnd, flight.delivered], [20, 200, 100]);
  t.equal(flight.isReordered, false);
  t.equal(flight.loseSentBefore(20, 200, 30, 39), 40, 'not yet');
  t.equal(flight.lost, 0);
  t.equal(flight.loseSentBefore(20, 200, 30, 40), -Infinity);
  t.same([flight.firstLost, flight.firstLostEnd, flight.lost], [0, 100, 100]);
  flight.sent(0, 100, 60);
  flight.beginAcknowledgment(65, 20, Infinity);
  flight.acknowledge(200);
  t.equal(flight.deliveredTime, -Infinity, 'in less than a round trip it was not the second one');
  t.equal(flight.delivered, 100);
});

t.test(
  'what is sent again is not lost at the moment it leaves, though no time passes',
  async (t) => {
    const flight = new Flight(0);
    flight.sent(0, 200, 10);
    flight.sack(100, 200);
    t.equal(flight.loseSentBefore(10, 200, 0, 10), -Infinity);
    t.equal(flight.lost, 100);
    flight.sent(0, 100, 10);
    t.equal(flight.loseSentBefore(10, 200, 0, 10), 11);
    t.equal(flight.lost, 0);
    t.equal(flight.loseSentBefore(10, 200, 0, 11), -Infinity);
    t.equal(flight.lost, 100);
  },
);

t.test('what comes after what was sent later shows reordering (step 3)', async (t) => {
  const flight = new Flight(0);
  flight.sent(0, 100, 10);
  flight.sent(100, 200, 10);
  flight.beginAcknowledgment(50, 20, Infinity);
  flight.sack(100, 200);
  flight.beginAcknowledgment(51, 20, Infinity);
  flight.acknowledge(200);
  t.equal(flight.isReordered, true);
});

t.test('what a peer has SACKed and thrown away is lost (RFC 2018 section 8)', async (t) => {
  const flight = new Flight(0);
  flight.sent(0, 300, 10);
  flight.sack(100, 200);
  t.equal(flight.renege(), false);
  flight.acknowledge(100);
  t.equal(flight.renege(), true);
  t.same([flight.firstLost, flight.firstLostEnd, flight.sacked, flight.pipe], [100, 200, 0, 100]);
});

t.test('what is not lost yet is lost at the very moment that is named', async (t) => {
  const random = seeded(7);
  for (let round = 0; round < 10_000; round++) {
    const sentAt = random(2 ** 32) / 1e5;
    const patience = random(2 ** 32) / 1e7;
    const flight = new Flight(0);
    flight.sent(0, 100, sentAt);
    flight.sent(100, 200, sentAt + 1);
    flight.sack(100, 200);
    const last = flight.loseSentBefore(sentAt + 1, 200, patience, sentAt - 1);
    flight.loseSentBefore(sentAt + 1, 200, patience, last);
    if (flight.lost !== 100) t.fail(`sent at ${sentAt}, patience ${patience}`);
  }
  t.pass('every time');
});

t.test('lost marks are taken back, but for what may never have left', async (t) => {
  const flight = new Flight(0);
  flight.sent(0, 300, 10);
  flight.presumeLost(500);
  flight.loseAll();
  flight.sent(0, 100, 20);
  flight.beginAcknowledgment(30, 5, Infinity);
  flight.acknowledge(100);
  t.equal(flight.lostArrived, 0, 'sent again: it may be the retransmission');
  flight.acknowledge(200);
  t.equal(flight.lostArrived, 100);
  flight.takeBackLost();
  t.same([flight.pipe, flight.lost, flight.firstLost], [100, 200, 300]);
});
