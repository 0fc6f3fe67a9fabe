import t from 'tap';
import { RecordError } from '../../tcp/record-error.ts';
import { Stack } from '../../tcp/stack.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { packet } from './forge.ts';
import { writeUdp } from './udp-datagram.ts';
import { ADDRESS, arriveAtB, type Station, WirePair } from './wire-pair.ts';

const UDP = 17;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function bound({ stack: { udp } }: Station, port: number): UdpPcb {
  const pcb = udp.create();
  udp.bind(pcb, { address: '::', port });
  return pcb;
}

function forged(text: string, sourcePort = 1000): Uint8Array {
  const ends = { source: ADDRESS.a, sourcePort, destination: ADDRESS.b, destinationPort: 53 };
  return packet(ADDRESS.a, ADDRESS.b, UDP, writeUdp({ ...ends, payload: encoder.encode(text) }));
}

function receive({ stack: { udp } }: Station, pcb: UdpPcb): string | undefined {
  const target = new Uint8Array(2000);
  const datagram = udp.receive(pcb, target);
  return datagram && decoder.decode(target.subarray(0, datagram.length));
}

t.test('a socket is what it was, with what waits to be read', async (t) => {
  const wire = new WirePair(1);
  const { ID } = bound(wire.b, 53);
  const socket = () => wire.b.stack.udp.pcbs.get(ID)!;
  wire.b.stack.udp.setOption(socket(), 'TTL', 7);
  socket().HEADERS = 1;
  arriveAtB(wire, forged('one', 1000), forged('two', 1001), forged('', 1002), forged('four', 1003));
  t.equal(receive(wire.b, socket()), 'one');
  wire.b.turn();
  wire.b.restart();
  t.match(socket(), { LOCAL_PORT: 53, TTL: 7, HEADERS: 1, source: { port: 1000 } });
  t.ok(wire.b.stack.takeChanged().includes(socket()), 'who waits for it looks again');
  t.equal(receive(wire.b, socket()), 'two');
  t.same(socket().source, { address: ADDRESS.a, port: 1001 });
  wire.b.turn();
  wire.b.restart();
  t.equal(receive(wire.b, socket()), '');
  t.equal(receive(wire.b, socket()), 'four');
  t.equal(receive(wire.b, socket()), undefined);
  arriveAtB(wire, forged('five'));
  t.equal(receive(wire.b, socket()), 'five');
});

t.test('what an engine has not committed has not happened', async (t) => {
  const wire = new WirePair(2);
  const { ID } = bound(wire.b, 53);
  wire.b.turn();
  const bytes = forged('lost');
  wire.b.stack.arrive(bytes, 0, bytes.length, wire.now);
  wire.b.restart();
  t.equal(receive(wire.b, wire.b.stack.udp.pcbs.get(ID)!), undefined);
});

t.test('a peer, an error that nobody was told, and the port nobody else gets', async (t) => {
  const wire = new WirePair(3);
  const client = wire.a.stack.udp.create();
  wire.a.stack.udp.connect(client, { address: ADDRESS.b, port: 9 });
  const { ID, LOCAL_PORT } = client;
  wire.a.stack.udp.send(client, encoder.encode('anybody?'), wire.now);
  wire.pass(20);
  wire.a.restart();
  const after = wire.a.stack.udp.pcbs.get(ID)!;
  t.match(after, { IS_CONNECTED: 1, LOCAL_PORT, remote: { address: ADDRESS.b, port: 9 } });
  t.throws(() => bound(wire.a, LOCAL_PORT), { name: 'EADDRINUSE' });
  t.throws(() => receive(wire.a, after), { name: 'ECONNREFUSED' });
  t.equal(wire.a.stack.create().ID, ID + 2, 'no number comes again, of either protocol');
});

t.test('a socket of the engine itself is gone with it', async (t) => {
  const wire = new WirePair(4);
  const own = wire.b.stack.udp.createTransient();
  wire.b.stack.udp.bind(own, { address: '::', port: 53 });
  arriveAtB(wire, forged('answer'));
  t.ok(wire.b.stack.takeDirty().length === 0);
  t.equal(receive(wire.b, own), 'answer');
  wire.b.turn();
  wire.b.restart();
  t.equal(wire.b.stack.udp.pcbs.size, 0);
});

function stackOf(): Stack {
  return new Stack({
    address: ADDRESS.b,
    prefix: 24,
    mtu: 1500,
    secret: new Uint8Array(16),
    entropy: () => 0,
    now: 0,
  });
}

t.test('after the host has gone down, only what was to outlive that can be read', async (t) => {
  const wire = new WirePair(5);
  const server = bound(wire.b, 53);
  arriveAtB(wire, forged('read before the crash, or not'));
  const record = server.record.slice();
  const stack = stackOf();
  const salvaged = stack.udp.salvage(record);
  t.match(salvaged, { LOCAL_PORT: 53, isReadable: false });
  stack.resume(0, { began: 0, atLeast: 0, estimate: 0 });
  wire.b.stack.udp.setOption(server, 'DURABILITY', 1);
  t.equal(stackOf().udp.salvage(server.record.slice()).isReadable, true);
});

t.test('after a rollback nothing is left that may have been read', async (t) => {
  const wire = new WirePair(6);
  const server = bound(wire.b, 53);
  arriveAtB(wire, forged('read since, or not'));
  wire.b.stack.abandonConnections(wire.now);
  t.equal(receive(wire.b, server), undefined);
  arriveAtB(wire, forged('news'));
  t.equal(receive(wire.b, server), 'news');
});

t.test('records that contradict themselves or others are refused', async (t) => {
  const wire = new WirePair(7);
  const server = bound(wire.b, 53);
  const changed = (change: (pcb: UdpPcb) => void): Uint8Array => {
    const pcb = wire.a.stack.udp.createTransient();
    pcb.record.set(server.record);
    change(pcb);
    return pcb.record.slice();
  };
  const refuses = (what: string, ...records: Uint8Array[]) => {
    const stack = stackOf();
    t.throws(() => records.map((record) => stack.udp.restore(record)), RecordError, what);
  };
  stackOf().udp.restore(changed(() => {}));
  refuses('its length', server.record.slice(1));
  refuses(
    'no ID',
    changed((pcb) => (pcb.ID = 0)),
  );
  refuses(
    'its stream',
    changed((pcb) => (pcb.RECEIVE_START = 1)),
  );
  refuses(
    'its durability',
    changed((pcb) => (pcb.DURABILITY = 2)),
  );
  refuses(
    'its buffer',
    changed((pcb) => (pcb.RCVBUF = 2 ** 31)),
  );
  refuses(
    'a peer without a port',
    changed((pcb) => (pcb.IS_CONNECTED = 1)),
  );
  refuses('the same twice', server.record.slice(), server.record.slice());
  refuses(
    'the same port',
    server.record.slice(),
    changed((pcb) => (pcb.ID = 99)),
  );
});
