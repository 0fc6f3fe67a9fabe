import t from 'tap';
import { errnoNumber } from '../../tcp/errno.ts';
import { RECORD_LENGTH } from '../../tcp/pcb.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { State } from '../../tcp/state.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { converse, pattern, Talker } from './transfer.ts';
import { segmentIn, WirePair } from './wire-pair.ts';

t.test('transfers go on through deaths of both engines at random moments', async (t) => {
  const deaths = { beforeCommit: 0, afterCommit: 0, afterRelease: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    const wire = new WirePair(seed);
    wire.keeps = false;
    const { a, b } = wire.establish();
    wire.weather = { loss: wire.random(40), duplication: wire.random(20), jitter: wire.random(15) };
    const texts = [pattern(100_000, seed), pattern(60_000, seed + 500)] as const;
    const one = new Talker(wire, 'a', a, texts[0]);
    const two = new Talker(wire, 'b', b, texts[1]);
    let left = 30;
    const victim = () => (wire.random(2) === 0 ? wire.a : wire.b);
    const isTime = () => left > 0 && wire.random(6) === 0;
    wire.onArrival = () => {
      if (!isTime()) return;
      left--;
      victim().restart(wire.random(2000));
      deaths.beforeCommit++;
    };
    converse(wire, [one, two], () => {
      if (!isTime()) return;
      left--;
      const station = victim();
      if (wire.random(2) === 0) {
        wire.filter = () => false;
        deaths.afterCommit++;
      } else {
        deaths.afterRelease++;
      }
      station.turn();
      wire.filter = () => true;
      station.restart(wire.random(2000));
    });
    const isEqual =
      Buffer.compare(two.everythingHeard, texts[0]) === 0 &&
      Buffer.compare(one.everythingHeard, texts[1]) === 0;
    if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
    if (one.pcb.ERROR + two.pcb.ERROR !== 0) t.fail(`an error with seed ${seed}`);
  }
  t.ok(Math.min(...Object.values(deaths)) > 50, JSON.stringify(deaths));
});

t.test('an engine dies in each state, and the connection goes on to its end', async (t) => {
  const everyState = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const wire = new WirePair(seed);
    wire.keeps = false;
    wire.weather = { loss: wire.random(200), duplication: 0, jitter: wire.random(30) };
    const listener = wire.b.listen(80).ID;
    const client = wire.a.connect(80).ID;
    const killAt = wire.random(60);
    const texts = [pattern(wire.random(6000), seed), pattern(wire.random(6000), -seed)] as const;
    let steps = 0;
    const mayKill = () => {
      if (steps++ !== killAt) return;
      for (const station of [wire.a, wire.b]) {
        station.turn();
        for (const pcb of station.stack.pcbs.values()) everyState.add(pcb.state);
        station.restart(wire.random(200));
      }
    };
    wire.until(() => {
      mayKill();
      return wire.b.stack.acceptable(wire.b.pcb(listener));
    }, `established with seed ${seed}`);
    const server = wire.b.stack.accept(wire.b.pcb(listener))!;
    const one = new Talker(wire, 'a', wire.a.pcb(client), texts[0]);
    const two = new Talker(wire, 'b', server, texts[1]);
    two.isPolite = seed % 2 === 0;
    wire.until(() => {
      mayKill();
      one.act();
      two.act();
      return one.isDone && two.isDone;
    }, `everything is said and heard with seed ${seed}`);
    const isEqual =
      Buffer.compare(two.everythingHeard, texts[0]) === 0 &&
      Buffer.compare(one.everythingHeard, texts[1]) === 0;
    if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
    while (steps <= killAt && wire.step()) mayKill();
    wire.a.close(one.pcb);
    wire.b.close(two.pcb);
    wire.weather = { loss: 0, duplication: 0, jitter: 0 };
    wire.pass(300_000);
    const left = wire.a.stack.pcbs.size + wire.b.stack.pcbs.size;
    if (left !== 1) t.fail(`${left} PCBs left with seed ${seed}`);
    if (wire.a.stored + wire.b.stored !== 1) t.fail(`left in the store with seed ${seed}`);
  }
  t.same(
    [...everyState].sort(),
    [
      'CLOSE-WAIT',
      'CLOSED',
      'CLOSING',
      'ESTABLISHED',
      'FIN-WAIT-1',
      'FIN-WAIT-2',
      'LAST-ACK',
      'LISTEN',
      'SYN-RECEIVED',
      'SYN-SENT',
      'TIME-WAIT',
    ],
    'RFC 9293 section 3.3.2: eleven states',
  );
});

t.test('an ACK of text that the restored engine does not remember sending is taken', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(4 * a.SND_MSS, 1));
  wire.a.turn();
  const sent = a.SND_NXT;
  wire.a.restart();
  const again = wire.a.pcb(a.ID);
  t.equal(again.SND_UNA, (sent - 4 * a.SND_MSS) >>> 0);
  const ack = fromPeer(again, { SEG_SEQ: again.RCV_NXT, SEG_ACK: sent, flags: ACK });
  wire.a.stack.arrive(ack, 0, ack.length, wire.now);
  t.equal(again.SND_UNA, sent);
  t.equal(b.ERROR, 0);
});

t.test(
  'after a pause, one segment of each connection is sent again, and no more until it is answered',
  async (t) => {
    const wire = new WirePair(2);
    const { a } = wire.establish();
    wire.a.send(a, pattern(100_000, 2));
    wire.a.turn();
    wire.filter = () => false;
    wire.pass(10);
    wire.a.restart(100_000);
    const began = wire.sent.length;
    wire.pass(900);
    const segments = wire.sent
      .slice(began)
      .map(segmentIn)
      .filter(({ from }) => from === 'a');
    t.match(segments, [{ header: { SEG_SEQ: a.SND_UNA, payloadLength: a.SND_MSS } }]);
    t.equal(segments.length, 1);
  },
);

t.test('the right edge of the window survives', async (t) => {
  const wire = new WirePair(3);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(50_000, 3));
  wire.pass(100);
  const { RCV_ADV, RCV_NXT, readable } = b;
  t.equal(readable, 50_000);
  wire.b.restart();
  const again = wire.b.pcb(b.ID);
  t.equal(again.RCV_ADV, RCV_ADV);
  t.equal(again.RCV_NXT, RCV_NXT);
  t.equal(again.readable, readable);
});

t.test('a smaller buffer after the restart still takes what was offered before', async (t) => {
  const wire = new WirePair(4);
  const { a, b } = wire.establish();
  const text = pattern(900_000, 4);
  wire.a.send(a, new Uint8Array(1));
  wire.until(() => b.readable === 1, 'arrives');
  wire.pass(100);
  (wire.b.options as { receiveBuffer: number }).receiveBuffer = 5000;
  wire.b.restart();
  wire.a.send(a, text);
  wire.pass(60_000);
  const again = wire.b.pcb(b.ID);
  t.ok(again.readable > 500_000, `${again.readable} bytes taken`);
  t.same(
    Buffer.from(wire.b.receive(again)).subarray(1),
    Buffer.from(text).subarray(0, text.length),
  );
});

t.test('TIME-WAIT lasts as long as it would have', async (t) => {
  const wire = new WirePair(5);
  const { a, b } = wire.establish();
  wire.a.close(a);
  wire.until(() => b.atEnd, 'FIN');
  wire.b.close(b);
  wire.until(() => a.state === 'TIME-WAIT', 'TIME-WAIT');
  const ends = wire.now + 60_000;
  wire.pass(10_000);
  wire.a.restart(20_000);
  t.equal(wire.a.pcb(a.ID).END_DEADLINE, ends);
  wire.a.turn();
  const left = ends - wire.now;
  wire.a.reboot(500, 20_000);
  t.equal(wire.a.pcb(a.ID).END_DEADLINE, 500 + left, 'what was left, when the clock is another');
});

t.test('what nobody has accepted waits on, in its order', async (t) => {
  const wire = new WirePair(6);
  const listener = wire.b.listen(80).ID;
  const ports: number[] = [];
  for (let i = 0; i < 5; i++) {
    const a = wire.a.connect(80);
    wire.pass(50);
    ports.push(a.LOCAL_PORT);
  }
  wire.b.restart();
  const accepted = ports.map(() => wire.b.stack.accept(wire.b.pcb(listener))!.REMOTE_PORT);
  t.same(accepted, ports);
  t.notOk(wire.b.stack.acceptable(wire.b.pcb(listener)));
  wire.b.turn();
  wire.b.restart();
  t.notOk(wire.b.stack.acceptable(wire.b.pcb(listener)), 'accepted ones are not given again');
});

t.test('IDs are not used again, and ports stay bound', async (t) => {
  const wire = new WirePair(7);
  const listener = wire.b.listen(80);
  wire.b.turn();
  wire.b.restart();
  const next = wire.b.stack.create();
  t.ok(next.ID > listener.ID);
  t.throws(() => wire.b.stack.bind(next, { address: '0.0.0.0', port: 80 }), { name: 'EADDRINUSE' });
});

t.test('nobody is given the port of a connection that was restored', async (t) => {
  const wire = new WirePair(7);
  wire.b.listen(80);
  const use = (): number[] => {
    const bound = wire.a.stack.create();
    wire.a.stack.bind(bound, { address: '::', port: 0 });
    return [wire.a.connect(80), wire.a.connect(80), bound].map(({ LOCAL_PORT }) => LOCAL_PORT);
  };
  const beforeCommit = use();
  wire.a.restart();
  const taken = use();
  t.same(taken, beforeCommit, 'the search begins where it began for the engine before');
  wire.a.turn();
  wire.a.restart();
  t.same(
    use().filter((port) => taken.includes(port)),
    [],
  );
});

t.test('a closed window stays closed through a restart of its sender, and opens', async (t) => {
  const wire = new WirePair(8, { b: { receiveBuffer: 10_000 } });
  const { a, b } = wire.establish();
  const text = pattern(30_000, 8);
  wire.a.send(a, text);
  wire.until(() => a.SND_WND === 0 && a.SND_NXT === a.SND_UNA, 'closed');
  wire.a.restart(5000);
  wire.pass(100_000);
  const two = new Talker(wire, 'b', b, new Uint8Array(0));
  wire.until(() => {
    two.act();
    return two.heard === text.length;
  }, 'goes on');
  t.ok(Buffer.compare(two.everythingHeard, text) === 0);
});

t.test('a queued FIN survives before it has left', async (t) => {
  const wire = new WirePair(9);
  const { a, b } = wire.establish();
  wire.filter = () => false;
  wire.a.send(a, pattern(5000, 9));
  wire.a.shutdown(a);
  wire.a.turn();
  wire.a.restart(1000);
  wire.filter = () => true;
  wire.until(() => b.FIN_RECEIVED === 1, 'arrives');
  t.same(Buffer.from(wire.b.receive(b)), Buffer.from(pattern(5000, 9)));
});

t.test(
  'an abort after a restart reaches the peer, though little of what is queued was sent',
  async (t) => {
    const wire = new WirePair(11, { b: { receiveBuffer: 10_000 } });
    const { a, b } = wire.establish();
    wire.a.send(a, pattern(30_000, 11));
    wire.until(() => a.SND_WND === 0 && a.SND_NXT === a.SND_UNA, 'closed');
    wire.a.restart();
    wire.pass(1000);
    wire.a.stack.abort(wire.a.pcb(a.ID), wire.now);
    wire.until(() => b.STATE === State.CLOSED, 'reset');
    t.equal(b.ERROR, errnoNumber('ECONNRESET'));
  },
);

t.test('a record that contradicts itself is refused', async (t) => {
  const wire = new WirePair(10);
  const { a } = wire.establish();
  const good = a.record.slice();
  t.equal(good.length, RECORD_LENGTH);
  const other = new WirePair(10).a.stack;
  t.throws(() => other.restore(good.subarray(1)), RecordError);
  t.throws(() => other.restore(new Uint8Array(RECORD_LENGTH)), RecordError);
  other.restore(good);
  t.throws(() => other.restore(good), RecordError, 'twice');
  let refused = 0;
  for (let i = 0; i < good.length; i++) {
    const bad = good.slice();
    bad[i] = 0xff;
    try {
      new WirePair(10).a.stack.restore(bad);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 0);
});
