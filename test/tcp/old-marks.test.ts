import t from 'tap';
import { Negotiated, type Pcb } from '../../tcp/pcb.ts';
import { seqAdd, seqLessThan } from '../../tcp/sequence.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { pattern } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

/** As far back as a number can be and still be seen to be behind; a little less. */
const LONG_AGO = 2 ** 31 - 20_000;

/** A connection that has carried 2 GiB since its last loss, all but a little. */
function longWithoutLoss({ sack }: { sack: boolean }): { wire: WirePair; a: Pcb; b: Pcb } {
  const wire = new WirePair(1);
  wire.delay = 20;
  const { a, b } = wire.establish();
  if (!sack) for (const pcb of [a, b]) pcb.NEGOTIATED &= ~Negotiated.SACK;
  a.recover = seqAdd(a.SND_UNA, -LONG_AGO);
  a.RACK_DSACK_ROUND = a.recover;
  a.IS_DSACK_ROUND = 1;
  return { wire, a, b };
}

/** `a` sends so much that all of it is acknowledged. */
function carry(wire: WirePair, a: Pcb, b: Pcb, length: number): void {
  wire.a.send(a, pattern(length, 1));
  wire.until(() => a.SND_UNA === a.sendEndSeq, 'acknowledged');
  wire.b.receive(b);
}

for (const sack of [true, false]) {
  const peer = sack ? 'with SACK' : 'without SACK';
  t.test(`fast recovery begins also 2 GiB after the last loss, ${peer}`, async (t) => {
    const { wire, a, b } = longWithoutLoss({ sack });
    carry(wire, a, b, 50_000);
    let count = 0;
    wire.filter = ({ from }) => from === 'b' || ++count !== 2;
    wire.a.send(a, pattern(20_000, 2));
    wire.until(() => a.IN_RECOVERY === 1, 'the loss is noticed', 150);
    wire.until(() => a.SND_UNA === a.sendEndSeq, 'repaired');
    t.equal(a.BACKOFF, 0, 'and no timeout was needed');
  });
}

t.test('a tail loss probe leaves also then', async (t) => {
  const { wire, a, b } = longWithoutLoss({ sack: true });
  carry(wire, a, b, 50_000);
  wire.filter = ({ from }) => from === 'b';
  wire.a.send(a, pattern(10_000, 2));
  wire.until(() => a.IS_PROBE_OUT === 1, 'asked', 150);
  t.equal(a.BACKOFF, 0);
});

t.test('a duplicate that is reported then widens the reordering window', async (t) => {
  const { wire, a, b } = longWithoutLoss({ sack: true });
  carry(wire, a, b, 50_000);
  const duplicate = [seqAdd(a.SND_UNA, -1000), a.SND_UNA] as const;
  wire.a.send(a, pattern(1000, 2));
  wire.a.turn();
  const bytes = fromPeer(a, {
    SEG_SEQ: a.RCV_NXT,
    SEG_ACK: a.SND_UNA,
    SEG_WND: 65535,
    flags: ACK,
    sack: [duplicate],
  });
  wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
  t.equal(a.RACK_REO_WND_MORE, 1);
  t.ok(seqLessThan(a.SND_UNA, a.RACK_DSACK_ROUND), 'once in this round trip');
});
