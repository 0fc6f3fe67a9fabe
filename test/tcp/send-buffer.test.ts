import t, { type Test } from 'tap';
import { seqAdd } from '../../tcp/sequence.ts';
import type { StackOptions } from '../../tcp/stack.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { pattern, Talker } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

const KIB = 1024;

/** The most that waited to be acknowledged in a transfer over 100 ms with a receiver that takes it all at once. */
function mostQueued(t: Test, options: Partial<StackOptions>, sendBufferBytes = 0): number {
  const wire = new WirePair(1, { a: options, b: { receiveBuffer: 4096 * KIB } });
  wire.delay = 50;
  wire.keeps = false;
  const { a, b } = wire.establish();
  a.SNDBUF = sendBufferBytes;
  const text = pattern(8192 * KIB, 1);
  const one = new Talker(wire, 'a', a, text);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  let most = 0;
  wire.until(() => {
    one.act();
    two.act();
    most = Math.max(most, a.SEND_END - a.SEND_START);
    return two.heard === text.length;
  }, 'everything is heard');
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
  return most;
}

t.test('the send buffer grows with the congestion window, up to the ceiling', async (t) => {
  t.equal(mostQueued(t, { sendBuffer: 64 * KIB, sendBufferMax: 512 * KIB }), 512 * KIB);
});

t.test('it does not grow where the user has set it', async (t) => {
  const options = { sendBuffer: 64 * KIB, sendBufferMax: 512 * KIB };
  t.equal(mostQueued(t, options, 128 * KIB), 128 * KIB);
});

t.test('a writer who waits is told when a third of the buffer is free', async (t) => {
  const wire = new WirePair(1, { a: { sendBuffer: 30_000 } });
  const { a } = wire.establish();
  a.cwnd = 30_000;
  wire.a.send(a, pattern(30_000, 1));
  wire.a.turn();
  const { SND_UNA } = a;
  const isToldAt = (acknowledged: number) => {
    const bytes = fromPeer(a, {
      SEG_SEQ: a.RCV_NXT,
      SEG_ACK: seqAdd(SND_UNA, acknowledged),
      SEG_WND: 65_535,
      flags: ACK,
    });
    wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
    return wire.a.stack.takeChanged().includes(a);
  };
  a.SNDBUF = 30_000;
  t.notOk(isToldAt(5000));
  t.notOk(isToldAt(9999));
  t.ok(isToldAt(10_000));
  t.ok(isToldAt(30_000));
});
