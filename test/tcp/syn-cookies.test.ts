import t from 'tap';
import { SYN } from '../../tcp/wire/tcp.ts';
import { segment } from './forge.ts';
import { pattern, Talker } from './transfer.ts';
import { ADDRESS, WirePair } from './wire-pair.ts';

/** SYNs of many addresses that will never answer. */
function flood(wire: WirePair, count: number): void {
  for (let i = 0; i < count; i++) {
    const address = `10.7.${1 + (i >>> 7)}.${1 + (i & 127)}`;
    const syn = segment(
      { address, port: 1000 },
      { address: ADDRESS.b, port: 80 },
      { SEG_SEQ: i, flags: SYN },
    );
    wire.b.stack.arrive(syn, 0, syn.length, wire.now);
  }
  wire.b.turn();
}

t.test('a flood of SYNs costs no more memory than the queue, and keeps nobody out', async (t) => {
  const wire = new WirePair(1);
  wire.keeps = false;
  const listener = wire.b.listen(80, 15);
  flood(wire, 1000);
  t.equal(wire.b.stack.pcbs.size, 1 + 16);
  wire.pass(1500);
  for (let round = 0; round < 10; round++) {
    flood(wire, 1000);
    const a = wire.a.connect(80);
    wire.until(() => wire.b.stack.acceptable(listener), 'established', 5000);
    const b = wire.b.stack.accept(listener)!;
    t.equal(b.REMOTE_PORT, a.LOCAL_PORT);
    t.equal(b.SND_WSCALE, a.RCV_WSCALE, 'the options are those of the SYN');
    t.equal(b.SND_MSS, a.SND_MSS);
    const text = pattern(100_000, round);
    const one = new Talker(wire, 'a', a, text);
    const two = new Talker(wire, 'b', b, text);
    wire.until(() => {
      one.act();
      two.act();
      return one.isDone && two.isDone;
    }, 'everything is said and heard');
    t.ok(Buffer.compare(two.everythingHeard, text) === 0);
    wire.a.close(a);
    wire.b.close(b);
    t.ok(wire.b.stack.pcbs.size <= 1 + 16 + 1 + round);
  }
});

t.test('the engine that restarts takes the ACK of a cookie that another has sent', async (t) => {
  const wire = new WirePair(2);
  const listener = wire.b.listen(80, 15).ID;
  flood(wire, 100);
  wire.pass(1500);
  const a = wire.a.connect(80);
  wire.until(() => a.state === 'ESTABLISHED', 'the cookie has come', 5000);
  const before = wire.b.stack.pcbs.size;
  wire.b.restart(0);
  t.equal(wire.b.stack.pcbs.size, before);
  wire.until(() => wire.b.stack.acceptable(wire.b.pcb(listener)), 'established', 5000);
  t.equal(wire.b.stack.accept(wire.b.pcb(listener))!.REMOTE_PORT, a.LOCAL_PORT);
});
