import t from 'tap';
import { GUARANTEED, Memory } from '../../tcp/memory.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { seqSub } from '../../tcp/sequence.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from './forge.ts';
import { pattern } from './transfer.ts';
import { WirePair } from './wire-pair.ts';

const MIB = 1 << 20;
const LIMIT = 4 * MIB;
/** Few connections fill it. */
const SMALL_LIMIT = MIB;

/** What the buffers of `pcb` take, counted by looking at them. */
function held(pcb: Pcb): number {
  return pcb.sendStream.capacity + pcb.receiveStream.capacity;
}

/** Looks at `wire.b` after each step, and throws unless it is within the limit and takes no window back. */
class Watch {
  readonly #wire: WirePair;
  readonly #limit: number;
  readonly #edges = new Map<number, number>();
  most = 0;

  constructor(wire: WirePair, limit = LIMIT) {
    this.#wire = wire;
    this.#limit = limit;
  }

  look(): void {
    const { stack } = this.#wire.b;
    let sum = 0;
    for (const pcb of stack.pcbs.values()) {
      if (pcb.REMOTE_PORT === 0) continue;
      sum += held(pcb);
      const edge = this.#edges.get(pcb.ID);
      if (edge !== undefined && seqSub(pcb.RCV_ADV, edge) < 0)
        throw new Error('a window was taken back');
      this.#edges.set(pcb.ID, pcb.RCV_ADV);
    }
    if (sum > stack.memoryUsed)
      throw new Error(`${sum} bytes are held, ${stack.memoryUsed} are counted`);
    if (stack.memoryUsed > this.#limit) throw new Error(`${stack.memoryUsed} bytes are used`);
    this.most = Math.max(this.most, sum);
  }
}

t.test('many peers fill their windows, and nobody reads', async (t) => {
  const wire = new WirePair(1, { a: { memory: 1024 * MIB }, b: { memory: SMALL_LIMIT } });
  const watch = new Watch(wire, SMALL_LIMIT);
  const listener = wire.b.listen(80, 1000);
  const text = pattern(MIB / 4, 1);
  const dialing: Pcb[] = [];
  for (let i = 0; i < 90; i++) {
    dialing.push(wire.a.connect(80));
    wire.pass(20);
    for (const pcb of dialing) if (pcb.writable > 0) wire.a.stack.send(pcb, text, wire.now);
    watch.look();
  }
  wire.pass(2000);
  watch.look();
  const accepted: Pcb[] = [];
  for (;;) {
    const pcb = wire.b.stack.accept(listener);
    if (pcb === undefined) break;
    accepted.push(pcb);
  }
  t.ok(accepted.length < 90, `${accepted.length} have been let in`);
  t.ok(accepted.length > 30, 'the first have not taken it all');
  // Windows are offered in units of 256 bytes.
  for (const pcb of accepted) t.ok(pcb.readable > GUARANTEED - 256, `${pcb.readable} bytes`);
  t.ok(watch.most > SMALL_LIMIT / 4, 'and the memory is used');
  t.throws(() => Array.from({ length: 1000 }, () => wire.b.stack.create()), { name: 'ENOBUFS' });

  // Not all that was offered could be kept, but what is acknowledged is there, byte for byte.
  for (const pcb of accepted) {
    const got = new Uint8Array(pcb.readable);
    wire.b.stack.receive(pcb, got, wire.now);
    if (Buffer.compare(got, text.subarray(0, got.length)) !== 0) t.fail('bytes differ');
  }
  watch.look();
  // All go on as they are read.
  for (let round = 0; round < 30; round++) {
    wire.pass(200);
    for (const pcb of accepted) wire.b.stack.receive(pcb, new Uint8Array(MIB), wire.now);
    watch.look();
  }
  const least = Math.min(...accepted.map(({ RECEIVE_END }) => RECEIVE_END));
  t.ok(least > 5 * GUARANTEED, `${least} bytes at least have come to each`);
});

t.test('what idle connections have been offered is no memory of the others', async (t) => {
  const wire = new WirePair(6, { a: { memory: 1024 * MIB }, b: { memory: 8 * MIB } });
  wire.b.listen(80, 1000);
  for (let i = 0; i < 150; i++) wire.a.connect(80);
  wire.pass(3000);
  const idle = [...wire.b.stack.pcbs.values()].filter(({ state }) => state === 'ESTABLISHED');
  t.equal(idle.length, 150);
  const offered = idle.reduce((sum, { RCV_WND }) => sum + RCV_WND, 0);
  t.ok(offered > 8 * MIB, `${offered} bytes are offered`);
  const { a, b } = wire.establish(81);
  wire.a.stack.send(a, pattern(100_000, 1), wire.now);
  wire.pass(2000);
  t.equal(b.readable, 100_000);
  t.ok(b.writable >= MIB / 8, `${b.writable} bytes may be written`);
  t.equal(wire.b.stack.counters.TcpExtTCPRcvQDrop, 0);
});

t.test(
  'text for which there is no memory comes again, and fits when others have read',
  async (t) => {
    const wire = new WirePair(7, { a: { memory: 1024 * MIB }, b: { memory: MIB } });
    wire.b.listen(80, 1000);
    const senders = Array.from({ length: 30 }, () => wire.a.connect(80));
    wire.pass(100);
    const pcbs = [...wire.b.stack.pcbs.values()].filter(({ state }) => state === 'ESTABLISHED');
    t.ok(pcbs.reduce((sum, { RCV_WND }) => sum + RCV_WND, 0) > MIB / 4);
    const text = pattern(100_000, 1);
    for (const pcb of senders) wire.a.stack.send(pcb, text, wire.now);
    wire.pass(1000);
    t.ok(wire.b.stack.counters.TcpExtTCPRcvQDrop > 0, 'they cannot all be kept');
    t.ok(wire.b.stack.memoryUsed <= MIB);
    const got = pcbs.map(() => 0);
    wire.until(() => {
      for (const [index, pcb] of pcbs.entries()) {
        const bytes = new Uint8Array(pcb.readable);
        wire.b.stack.receive(pcb, bytes, wire.now);
        const from = got[index]!;
        if (Buffer.compare(bytes, text.subarray(from, from + bytes.length)) !== 0)
          t.fail('bytes differ');
        got[index] = from + bytes.length;
      }
      return got.every((count) => count === text.length);
    }, 'all has come');
  },
);

t.test('many programs write, and no peer reads', async (t) => {
  const wire = new WirePair(2, {
    a: { memory: 1024 * MIB, receiveBuffer: 4096 },
    b: { memory: LIMIT },
  });
  const watch = new Watch(wire);
  wire.b.listen(80, 1000);
  for (let i = 0; i < 100; i++) wire.a.connect(80);
  wire.pass(3000);
  const pcbs = [...wire.b.stack.pcbs.values()].filter(({ state }) => state === 'ESTABLISHED');
  t.equal(pcbs.length, 100);
  const text = pattern(MIB, 1);
  const taken = pcbs.map((pcb) => {
    const { writable } = pcb;
    const count = wire.b.stack.send(pcb, text, wire.now);
    t.equal(count, writable, 'as many as it said');
    watch.look();
    return count;
  });
  t.ok(Math.min(...taken) >= GUARANTEED, 'everybody something');
  wire.pass(1000);
  // As much again as the peers' small windows have let go.
  for (const pcb of pcbs) wire.b.stack.send(pcb, text, wire.now);
  wire.pass(1000);
  watch.look();
  const full = pcbs.filter((pcb) => wire.b.stack.send(pcb, text, wire.now) === 0);
  t.ok(full.length > 90, 'then nothing more is taken');
  t.ok(
    wire.b.stack.create() !== undefined,
    'what writers may take leaves room for further connections',
  );
});

t.test('what is over no longer counts', async (t) => {
  const wire = new WirePair(3, { b: { memory: LIMIT } });
  const { a, b } = wire.establish();
  const idle = wire.b.stack.memoryUsed;
  wire.a.stack.send(a, pattern(100_000, 1), wire.now);
  wire.b.stack.send(b, pattern(300_000, 1), wire.now);
  t.ok(wire.b.stack.memoryUsed > idle);
  wire.pass(5000);
  wire.b.restart();
  const before = wire.b.stack.memoryUsed;
  t.ok(before >= held(wire.b.pcb(b.ID)), 'it counts after a restart too');
  for (const pcb of [...wire.b.stack.pcbs.values()]) wire.b.stack.abort(pcb, wire.now);
  t.equal(wire.b.stack.memoryUsed, 0);
});

t.test(
  'a peer that sends every other byte, and says that it has got every other byte',
  async (t) => {
    const wire = new WirePair(4, { b: { memory: LIMIT } });
    const { b } = wire.establish();
    const watch = new Watch(wire);
    const arrive = (forged: Parameters<typeof fromPeer>[1]) => {
      const bytes = fromPeer(b, forged);
      wire.b.stack.arrive(bytes, 0, bytes.length, wire.now);
      watch.look();
    };
    for (let i = 1; i < 3000; i += 2) {
      const text = Uint8Array.of(7);
      arrive({ SEG_SEQ: b.RCV_NXT + i, SEG_ACK: b.SND_UNA, flags: ACK, text });
    }
    t.equal(b.reassembly?.mostRecentFirst.length, Reassembly.MAX_RANGES);

    wire.filter = () => true;
    wire.b.stack.send(b, pattern(200_000, 1), wire.now);
    for (let i = 0; i < 30_000; i += 8) {
      // The window opens as the peer likes, and it reports the finest gaps that there can be.
      const at = (n: number) => (b.SND_UNA + i + n) >>> 0;
      const sack: [number, number][] = [1, 3, 5].map((n) => [at(n), at(n + 1)]);
      arrive({ SEG_SEQ: b.RCV_NXT, SEG_ACK: b.SND_UNA, SEG_WND: 65535, flags: ACK, sack });
      wire.b.turn();
      wire.now += 1;
    }
    t.ok(b.flight!.parts > 1000, `${b.flight?.parts} parts`);
    t.ok(b.flight!.parts <= LIMIT / 13);
    watch.look();
  },
);

t.test('Memory: the nearer to the limit, the less may anything grow', async (t) => {
  const memory = new Memory(64 * MIB);
  t.equal(memory.most(0), GUARANTEED + 3 * MIB, 'a 16th of three quarters');
  memory.count(0, GUARANTEED + 32 * MIB);
  t.equal(memory.most(0), GUARANTEED + MIB);
  t.equal(memory.most(5 * MIB), 5 * MIB, 'what it has it keeps');
  memory.count(0, GUARANTEED + 32 * MIB);
  t.equal(memory.most(0), GUARANTEED, 'that much always');
  t.notOk(memory.hasRoom);
  memory.count(GUARANTEED + 32 * MIB, 100);
  t.ok(memory.hasRoom);
  t.equal(memory.used, 32 * MIB);
});
