import t from 'tap';
import { Capture, WirePair } from './wire-pair.ts';

/** In bytes: more than the segments that are acknowledged one by one because the connection has just begun. */
const WARM_UP = 50_000;

// What a program has read is given back if its READ was not answered and the peer was told nothing: see unreceive.ts.
t.test('what an earlier ACK covers is acknowledged, though the next one has no room', async (t) => {
  const wire = new WirePair(1);
  const listener = wire.b.listen(80);
  const client = wire.a.connect(80);
  wire.until(() => wire.b.stack.acceptable(listener), 'it is established');
  const server = wire.b.stack.accept(listener)!;
  t.equal(wire.a.send(client, new Uint8Array(WARM_UP)), WARM_UP);
  wire.until(() => {
    wire.b.receive(server);
    return server.RECEIVE_END === WARM_UP && client.SND_UNA === client.SND_NXT;
  }, 'all is acknowledged');
  const before = server.LAST_ACK_SENT;
  const carrier = new Capture((segment) =>
    wire.b.stack.arrive(segment, 0, segment.length, wire.now),
  );
  wire.a.send(client, new Uint8Array(8 * client.SND_MSS));
  wire.a.stack.transmit(wire.now, carrier);
  const narrow = new Capture(() => {});
  narrow.room = 1;
  t.equal(wire.b.stack.transmit(wire.now, narrow), false);
  t.not(server.LAST_ACK_SENT, before);
  t.not(server.LAST_ACK_SENT, server.RCV_NXT);
});
