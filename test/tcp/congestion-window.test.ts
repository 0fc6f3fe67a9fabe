import t from 'tap';
import { CONGESTION_CONTROLS } from '../../tcp/congestion-control/selected.ts';
import { seqAdd } from '../../tcp/sequence.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { pattern } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

/** A connection with much to send, and 20 segments in flight. */
function withFullWindow(congestionControl: number) {
  const wire = new WirePair(1);
  wire.delay = 50;
  const { a } = wire.establish();
  a.CONGESTION_CONTROL = congestionControl;
  a.cwnd = 20 * a.SND_MSS;
  wire.a.send(a, pattern(1_000_000, 1));
  return { wire, a };
}

for (const [number, name] of CONGESTION_CONTROLS.entries()) {
  t.test(`${name}: ACKs that come in one turn open the window as others do`, async (t) => {
    const { wire, a } = withFullWindow(number);
    wire.a.turn();
    const { SND_UNA, SND_MSS } = a;
    for (let i = 1; i <= 20; i++) {
      const bytes = fromPeer(a, {
        SEG_SEQ: a.RCV_NXT,
        SEG_ACK: seqAdd(SND_UNA, i * SND_MSS),
        SEG_WND: 65535,
        flags: ACK,
      });
      wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
    }
    t.equal(a.cwnd, 40 * SND_MSS, 'slow start (RFC 5681 section 3.1)');
  });

  t.test(
    `${name}: ACKs that come together with news of a loss leave FlightSize as it was`,
    async (t) => {
      const { wire, a } = withFullWindow(number);
      let count = 0;
      wire.filter = ({ from }) => from === 'b' || ++count !== 14;
      wire.until(() => a.IN_RECOVERY === 1, 'the loss is noticed');
      const decrease = name === 'cubic' ? 0.7 : 0.5;
      t.equal(a.ssthresh, Math.floor(20 * a.SND_MSS * decrease));
    },
  );
}
