import t from 'tap';
import { WirePair } from './wire-pair.ts';

t.test('calls in the wrong state', async (t) => {
  const wire = new WirePair(1);
  const { stack } = wire.b;
  const pcb = stack.create();
  const listening = wire.b.listen(80);
  const here = { address: '10.7.0.2', port: 81 };
  const throws = (name: string, call: () => unknown) => t.throws(call, { name }, name);
  throws('EADDRNOTAVAIL', () => stack.bind(pcb, { address: '10.7.0.9', port: 1 }));
  throws('EADDRINUSE', () => stack.bind(pcb, { address: '10.7.0.2', port: 80 }));
  throws('EINVAL', () => stack.bind(pcb, { address: 'nonsense', port: 1 }));
  throws('EINVAL', () => stack.bind(pcb, { address: '0.0.0.0', port: 65536 }));
  throws('EINVAL', () => stack.accept(pcb));
  throws('ENOTCONN', () => stack.send(pcb, new Uint8Array(1), wire.now));
  throws('ENOTCONN', () => stack.receive(pcb, new Uint8Array(1), wire.now));
  throws('ENOTCONN', () => stack.shutdown(pcb, wire.now));
  throws('ENOTCONN', () => stack.shutdown(listening, wire.now));
  stack.bind(pcb, here);
  t.same(pcb.local, here);
  throws('EINVAL', () => stack.bind(pcb, here));
  throws('EISCONN', () => stack.connect(listening, here, wire.now));
  for (const address of ['0.0.0.0', '255.255.255.255', '224.0.0.1', '10.7.0.255', '127.0.0.1']) {
    throws('ENETUNREACH', () => stack.connect(pcb, { address, port: 1 }, wire.now));
  }
  stack.connect(pcb, { address: '10.7.0.1', port: 1 }, wire.now);
  throws('EALREADY', () => stack.connect(pcb, { address: '10.7.0.1', port: 1 }, wire.now));
  throws('EINVAL', () => stack.listen(pcb, 1));
  const other = stack.create();
  throws('EADDRINUSE', () => stack.bind(other, { address: '0.0.0.0', port: 81 }));
  stack.bind(other, { address: '0.0.0.0', port: 0 });
  const { port } = other.local!;
  t.ok(port >= 32768 && port <= 60999, 'RFC 6056, with the range of Linux');
});

t.test('who has not bound a socket listens at any port', async (t) => {
  const { stack } = new WirePair(1).b;
  const listener = stack.create();
  stack.listen(listener, 1);
  const { address, port } = listener.local!;
  t.equal(address, '::');
  t.ok(port >= 32768 && port <= 60999, `${port}`);
  t.equal(listener.state, 'LISTEN');
});

t.test('a port is free again when its PCB is gone', async (t) => {
  const wire = new WirePair(2);
  const listener = wire.b.listen(80);
  wire.b.close(listener);
  t.notOk(wire.b.stack.pcbs.has(listener.ID));
  t.equal(wire.b.listen(80).state, 'LISTEN');
});

t.test('connections beyond the backlog wait outside', async (t) => {
  const wire = new WirePair(3);
  const listener = wire.b.listen(80, 1);
  const dialing = Array.from({ length: 5 }, () => wire.a.connect(80));
  wire.pass(500);
  const established = () => dialing.filter((pcb) => pcb.state === 'ESTABLISHED').length;
  t.equal(established(), 2, 'listen(2): one more than the backlog');
  const accepted = [];
  wire.until(() => {
    const pcb = wire.b.stack.accept(listener);
    if (pcb !== undefined) accepted.push(pcb);
    return accepted.length === 5;
  }, 'all of them in the end');
  t.equal(established(), 5);
});

t.test('accept keeps the order', async (t) => {
  const wire = new WirePair(4);
  const listener = wire.b.listen(80);
  const ports: number[] = [];
  for (let i = 0; i < 5; i++) {
    const a = wire.a.connect(80);
    wire.until(() => a.state === 'ESTABLISHED', 'established');
    ports.push(a.LOCAL_PORT);
  }
  wire.pass(100);
  const accepted = ports.map(() => wire.b.stack.accept(listener)!.REMOTE_PORT);
  t.same(accepted, ports);
});

t.test('a closed listener resets what nobody has accepted', async (t) => {
  const wire = new WirePair(5);
  const { a, b, listener } = wire.establish();
  const waiting = wire.a.connect(80);
  wire.pass(100);
  t.equal(waiting.state, 'ESTABLISHED');
  wire.b.close(listener);
  wire.pass(100);
  t.equal(waiting.ERROR, 104);
  t.equal(a.state, 'ESTABLISHED', 'what was accepted goes on');
  t.same([...wire.b.stack.pcbs.keys()], [b.ID]);
});

t.test('text sent before connect has succeeded waits for it', async () => {
  const wire = new WirePair(6);
  const listener = wire.b.listen(80);
  const a = wire.a.connect(80);
  wire.a.send(a, new Uint8Array([1, 2, 3]));
  wire.until(() => wire.b.stack.acceptable(listener), 'established');
  const b = wire.b.stack.accept(listener)!;
  wire.until(() => b.readable === 3, 'arrives');
});

t.test('the send buffer has a limit', async (t) => {
  const wire = new WirePair(7, { a: { sendBuffer: 5000 } });
  const { a, b } = wire.establish();
  wire.filter = () => false;
  t.equal(a.writable, 5000);
  t.equal(wire.a.send(a, new Uint8Array(6000)), 5000);
  t.equal(wire.a.send(a, new Uint8Array(6000)), 0);
  t.equal(a.writable, 0);
  wire.filter = () => true;
  wire.until(() => a.writable === 5000, 'room again');
  t.equal(b.readable, 5000);
});

t.test('many connections at once find their way', async (t) => {
  const wire = new WirePair(8);
  wire.keeps = false;
  const listener = wire.b.listen(80, 400);
  const clients = Array.from({ length: 400 }, () => wire.a.connect(80));
  for (const [i, pcb] of clients.entries()) {
    wire.a.send(pcb, new Uint8Array(new Uint32Array([i, pcb.LOCAL_PORT]).buffer));
  }
  wire.pass(300);
  let right = 0;
  for (;;) {
    const b = wire.b.stack.accept(listener);
    if (b === undefined) break;
    const [, port] = new Uint32Array(wire.b.receive(b).slice().buffer);
    if (port === b.REMOTE_PORT) right++;
    wire.b.close(b);
  }
  t.equal(right, 400);
  for (const pcb of clients) wire.a.close(pcb);
  wire.pass(200_000);
  t.equal(wire.a.stack.pcbs.size, 0);
  t.equal(wire.b.stack.pcbs.size, 1);
});
