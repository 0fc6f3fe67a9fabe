import t from 'tap';
import { RST, SYN } from '../../tcp/wire/tcp.ts';
import { fromPeer, segment } from './forge.ts';
import { pattern, Talker } from './transfer.ts';
import { ADDRESS, arriveAtB, WirePair } from './wire-pair.ts';

t.test('what one counts as sent, the other counts as come', async (t) => {
  const wire = new WirePair(1);
  wire.keeps = false;
  const { a, b } = wire.establish();
  const [one, two] = [
    new Talker(wire, 'a', a, pattern(100_000, 1)),
    new Talker(wire, 'b', b, pattern(100, 2)),
  ];
  wire.until(() => {
    one.act();
    two.act();
    return one.isDone && two.isDone;
  }, 'everything is said and heard');
  wire.a.close(a);
  wire.b.close(b);
  wire.pass(1000);
  const [here, there] = [wire.a.stack.counters, wire.b.stack.counters];
  t.ok(here.TcpOutSegs > 70);
  t.equal(here.TcpOutSegs, there.TcpInSegs);
  t.equal(there.TcpOutSegs, here.TcpInSegs);
  t.equal(here.IpOutRequests, there.IpInReceives);
  t.equal(here.IpExtOutOctets, there.IpExtInOctets);
  t.ok(here.IpExtOutOctets > 100_000);
  t.match(
    [here, there],
    [
      {
        TcpActiveOpens: 1,
        TcpPassiveOpens: 0,
        TcpAttemptFails: 0,
        TcpEstabResets: 0,
        TcpOutRsts: 0,
      },
      { TcpActiveOpens: 0, TcpPassiveOpens: 1, TcpRetransSegs: 0, TcpInErrs: 0, TcpInRsts: 0 },
    ],
  );
});

t.test('attempts that fail, and resets', async (t) => {
  const wire = new WirePair(2);
  wire.a.connect(81);
  wire.pass(100);
  const { a, b } = wire.establish();
  wire.a.abort(a);
  wire.pass(100);
  t.equal(b.state, 'CLOSED');
  t.match(wire.a.stack.counters, {
    TcpActiveOpens: 2,
    TcpAttemptFails: 1,
    TcpEstabResets: 1,
    TcpInRsts: 1,
    TcpOutRsts: 1,
  });
  t.match(wire.b.stack.counters, { TcpEstabResets: 1, TcpInRsts: 1, TcpOutRsts: 1 });
});

t.test('a segment with a wrong checksum', async (t) => {
  const wire = new WirePair(3);
  const syn = segment(
    { address: ADDRESS.a, port: 1000 },
    { address: ADDRESS.b, port: 80 },
    { SEG_SEQ: 7, flags: SYN },
  );
  syn[syn.length - 1]! ^= 1;
  t.same(arriveAtB(wire, syn), []);
  t.match(wire.b.stack.counters, { TcpInSegs: 1, TcpInErrs: 1, TcpOutRsts: 0 });
});

t.test('timeouts and what is sent again', async (t) => {
  const wire = new WirePair(4);
  const { a } = wire.establish();
  wire.weather = { loss: 1000, duplication: 0, jitter: 0 };
  wire.a.send(a, pattern(10, 1));
  wire.until(() => wire.a.stack.counters.TcpExtTCPTimeouts === 2, 'the timer has run out twice');
  t.ok(wire.a.stack.counters.TcpRetransSegs >= 2);
  wire.until(() => a.state === 'CLOSED', 'it gives up');
  t.equal(wire.a.stack.counters.TcpExtTCPAbortOnTimeout, 1);
});

t.test('a SYN that is sent again', async (t) => {
  const wire = new WirePair(5);
  wire.weather = { loss: 1000, duplication: 0, jitter: 0 };
  wire.a.connect(80);
  t.equal(wire.a.stack.counters.TcpRetransSegs, 0);
  wire.until(() => wire.a.stack.counters.TcpExtTCPTimeouts === 1, 'the timer has run out');
  t.equal(wire.a.stack.counters.TcpRetransSegs, 1);
});

t.test('a challenge ACK', async (t) => {
  const wire = new WirePair(6);
  const { b } = wire.establish();
  const reset = fromPeer(b, { SEG_SEQ: b.RCV_NXT + 1, flags: RST });
  t.equal(arriveAtB(wire, reset).length, 1);
  t.match(wire.b.stack.counters, { TcpExtTCPChallengeACK: 1, TcpInRsts: 1 });
});
