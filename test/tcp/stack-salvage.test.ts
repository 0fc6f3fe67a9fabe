import t from 'tap';
import type { DurabilityName } from '../../tcp/durability.ts';
import { errnoName } from '../../tcp/errno.ts';
import { Stack } from '../../tcp/stack.ts';
import { WirePair } from './wire-pair.ts';

/** The stack of `b` after its host has gone down: every record is there, and none of the bytes. */
function salvaged(wire: WirePair): Stack {
  const stack = new Stack({
    address: '10.0.0.9',
    prefix: 24,
    mtu: 1500,
    secret: new Uint8Array(16),
    entropy: () => 7,
    now: wire.now,
  });
  for (const { record } of wire.b.stack.pcbs.values()) stack.salvage(Uint8Array.from(record));
  stack.resume(wire.now, { began: wire.now, atLeast: 0, estimate: 0 });
  return stack;
}

function talk(durability: DurabilityName) {
  const wire = new WirePair(1, { b: { durability } });
  const { b: pcb, listener } = wire.establish();
  return { wire, listener, pcb };
}

t.test('durability process: what was a connection has ended with ECONNABORTED', async (t) => {
  const { wire, listener, pcb } = talk('process');
  wire.a.connect(80);
  wire.pass(1000);
  wire.b.stack.send(pcb, Buffer.from('text'), wire.now);
  const idle = wire.b.stack.create();
  const ids = [...wire.b.stack.pcbs.keys()];
  t.equal(ids.length, 4, 'a listener, a connection, one that waits, one that is none');
  const stack = salvaged(wire);

  t.same(
    [...stack.pcbs.keys()],
    [listener.ID, pcb.ID, idle.ID],
    'what nobody has accepted is gone',
  );
  const after = stack.pcbs.get(pcb.ID)!;
  t.equal(after.state, 'CLOSED');
  t.throws(() => stack.receive(after, new Uint8Array(9), wire.now), { name: 'ECONNABORTED' });
  t.throws(() => stack.send(after, new Uint8Array(9), wire.now), { name: 'ECONNABORTED' });
  t.equal(after.SEND_START, after.SEND_END);
  t.equal(stack.pcbs.get(listener.ID)!.state, 'LISTEN');
  t.notOk(stack.acceptable(stack.pcbs.get(listener.ID)!));
  t.equal(stack.pcbs.get(idle.ID)!.ERROR, 0);
  let packets = 0;
  const bytes = new Uint8Array(2000);
  stack.transmit(wire.now, {
    bytes,
    view: new DataView(bytes.buffer),
    reserve: () => 0,
    commit: () => {
      packets++;
    },
  });
  t.equal(packets, 0, 'nobody is told');
});

t.test('a connection whose program has closed it is gone', async (t) => {
  const { wire, pcb } = talk('process');
  wire.b.stack.close(pcb, wire.now);
  const stack = salvaged(wire);
  t.notOk(stack.pcbs.has(pcb.ID));
  t.same(
    stack.takeRemoved().map(({ ID }) => ID),
    [pcb.ID],
  );
});

t.test('durability power: it goes on', async (t) => {
  const { wire, pcb } = talk('power');
  t.equal(pcb.DURABILITY, 1, 'as its listener');
  const after = salvaged(wire).pcbs.get(pcb.ID)!;
  t.equal(after.state, 'ESTABLISHED');
  t.equal(errnoName(after.ERROR), undefined);
});
