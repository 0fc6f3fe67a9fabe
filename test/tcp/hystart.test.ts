import t from 'tap';
import { cubic } from '../../tcp/congestion-control/cubic.ts';
import { CONGESTION_CONTROLS, congestionControlOf } from '../../tcp/congestion-control/selected.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { seqAdd } from '../../tcp/sequence.ts';
import { WirePair } from './wire-pair.ts';

const NO_THRESHOLD = 0xffffffff;

function inSlowStart(): Pcb {
  return new WirePair(1).establish().a;
}

/**
 * A round: `acks` segments are in flight and acknowledged one by one, each after `rtt` milliseconds.
 * @returns by how many segments the window has grown
 */
function round(pcb: Pcb, rtt: number, acks = 8): number {
  const { cwnd, SND_MSS } = pcb;
  pcb.SND_NXT = seqAdd(pcb.SND_UNA, acks * SND_MSS);
  pcb.FlightSize = cwnd;
  for (let i = 0; i < acks; i++) {
    pcb.acknowledge(seqAdd(pcb.SND_UNA, SND_MSS));
    congestionControlOf(pcb).acknowledged(pcb, SND_MSS, rtt, 1000);
  }
  return (pcb.cwnd - cwnd) / SND_MSS;
}

for (const [number, name] of CONGESTION_CONTROLS.entries()) {
  t.test(`${name}: slow start ends five rounds after round trips have grown longer`, async (t) => {
    const a = inSlowStart();
    a.CONGESTION_CONTROL = number;
    t.equal(round(a, 50), 8);
    t.equal(round(a, 50), 8);
    t.equal(round(a, 57), 7 + 1 / 4, 'the eighth round trip tells');
    for (let i = 0; i < 4; i++) t.equal(round(a, 57), 2, 'a quarter');
    t.equal(a.ssthresh, NO_THRESHOLD);
    const { cwnd } = a;
    round(a, 57);
    t.equal(a.ssthresh, cwnd);
  });
}

t.test('when they are shorter again, slow start goes on as it was', async (t) => {
  const a = inSlowStart();
  round(a, 50);
  round(a, 60);
  t.equal(round(a, 60), 2);
  t.equal(round(a, 58), 7 / 4 + 1);
  t.equal(round(a, 58), 8);
  t.equal(a.ssthresh, NO_THRESHOLD);
});

for (const [before, longer, after] of [
  [0.2, 4.1, 4.3],
  [50, 56.2, 56.3],
  [300, 315.9, 316],
] as const) {
  t.test(`round trips of ${before} ms: ${longer} are no longer, ${after} are`, async (t) => {
    const a = inSlowStart();
    round(a, before);
    t.equal(round(a, longer), 8);
    const b = inSlowStart();
    round(b, before);
    t.ok(round(b, after) < 8);
  });
}

t.test('a few long round trips, or one that is short, say nothing', async (t) => {
  const a = inSlowStart();
  round(a, 50);
  t.equal(round(a, 90, 7), 7);
  const b = inSlowStart();
  round(b, 50);
  b.SND_NXT = seqAdd(b.SND_UNA, 20 * b.SND_MSS);
  b.acknowledge(seqAdd(b.SND_UNA, b.SND_MSS));
  cubic.acknowledged(b, b.SND_MSS, 50, 1000);
  t.equal(round(b, 90, 19), 19);
});

t.test('what was sent twice has no round trip', async (t) => {
  const a = inSlowStart();
  round(a, 50);
  t.equal(round(a, Infinity), 8);
  t.equal(round(a, 90), 8, 'and nothing is known to compare with');
});

t.test('slow start after a loss is as ever (RFC 9406 section 4.3)', async (t) => {
  const a = inSlowStart();
  a.ssthresh = 100 * a.SND_MSS;
  round(a, 50);
  t.equal(round(a, 90), 8);
});

t.test('a round that was left 2 GiB ago is over', async (t) => {
  const a = inSlowStart();
  round(a, 50);
  a.ROUND_END = seqAdd(a.SND_UNA, -(2 ** 31 - 20_000));
  // The window is not used meanwhile.
  a.cwnd = 100 * a.SND_MSS;
  a.FlightSize = a.SND_MSS;
  for (let i = 0; i < 20; i++) a.acknowledge(seqAdd(a.SND_UNA, a.SND_MSS));
  round(a, 50);
  t.ok(round(a, 90) < 8);
});
