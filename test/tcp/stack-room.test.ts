import t from 'tap';
import { pattern } from './transfer.ts';
import { ADDRESS, segmentIn, WirePair } from './wire-pair.ts';

t.test(
  'without room what was offered is taken, and no more is offered until there is room',
  async (t) => {
    const wire = new WirePair(1);
    const { a, b } = wire.establish();
    const text = pattern(2 ** 20, 1);
    let said = 0;
    const heard: Uint8Array[] = [];
    let count = 0;
    const talk = () => {
      if (said < text.length) said += wire.a.send(a, text.subarray(said));
      if (b.readable === 0) return;
      heard.push(wire.b.receive(b).slice());
      count += heard.at(-1)!.length;
    };

    const edge = b.RCV_WND;
    const unit = 2 ** b.RCV_WSCALE;
    wire.b.stack.hasRoom = false;
    wire.until(() => {
      talk();
      return a.SND_WND === 0 && a.SND_NXT === a.SND_UNA;
    }, 'the window is closed, although the program reads');
    talk();
    t.ok(count <= edge && count > edge - unit, 'all that was offered, and not a byte more');
    wire.pass(3600_000);
    t.equal(a.state, 'ESTABLISHED', 'an hour later');
    t.ok(b.RECEIVE_END <= edge);

    wire.b.stack.hasRoom = true;
    const began = wire.sent.length;
    wire.pass(1);
    const update = wire.sent
      .slice(began)
      .map(segmentIn)
      .find(({ from }) => from === 'b');
    t.ok(update !== undefined && update.header.SEG_WND > 0, 'the peer is told at once');
    wire.until(() => {
      talk();
      return count === text.length;
    }, 'goes on');
    t.ok(Buffer.compare(Buffer.concat(heard), text) === 0);
  },
);

t.test('without room SEND and OPEN fail, and callers come in vain', async (t) => {
  const wire = new WirePair(2);
  const { b } = wire.establish();
  const listener = wire.b.listen(81);
  wire.b.stack.hasRoom = false;
  t.throws(() => wire.b.send(b, pattern(10, 1)), { name: 'ENOSPC' });
  t.throws(() => wire.b.connect(9), { name: 'ENOSPC' });

  const caller = wire.a.connect(81, ADDRESS.b);
  wire.pass(5000);
  t.equal(caller.state, 'SYN-SENT');
  wire.b.stack.hasRoom = true;
  wire.until(() => wire.b.stack.acceptable(listener), 'there is room again');
  t.equal(wire.b.send(b, pattern(10, 1)), 10);
});

t.test('whoever waits to send is told that there is no room', async (t) => {
  const wire = new WirePair(3);
  const { b } = wire.establish();
  wire.b.stack.takeChanged();
  wire.b.stack.hasRoom = false;
  t.ok(wire.b.stack.takeChanged().includes(b));
});
