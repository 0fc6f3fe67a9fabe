import t from 'tap';
import { Capture, type Packet, segmentIn, WirePair } from './wire-pair.ts';

t.test('when there is no room for what waits for the disk, the other connections go on', (t) => {
  const wire = new WirePair(1);
  const listener = wire.b.listen(80);
  const [careful, careless] = [wire.a.connect(80), wire.a.connect(80)];
  wire.until(() => wire.b.stack.waiting(listener) === 2, 'both are established');
  const { stack } = wire.a;
  stack.setOption(careful, 'DURABILITY', 1, wire.now);
  const text = Buffer.from('text');
  for (const pcb of [careful, careless]) wire.a.send(pcb, text);

  const sent: Packet[] = [];
  const waiting: Packet[] = [];
  const keep = (packets: Packet[]) =>
    new Capture((bytes) => packets.push({ from: 'a', bytes, at: wire.now }));
  const full = keep(waiting);
  full.room = 0;
  t.equal(stack.transmit(wire.now, keep(sent), full), false);
  const ports = (packets: Packet[]) => packets.map((packet) => segmentIn(packet).header.sourcePort);
  t.same(ports(sent), [careless.LOCAL_PORT]);
  t.same(waiting, []);

  full.room = 1;
  t.equal(stack.transmit(wire.now, keep(sent), full), true);
  t.same(ports(waiting), [careful.LOCAL_PORT]);
  t.equal(sent.length, 1);
  t.end();
});
