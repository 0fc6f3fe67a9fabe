import t from 'tap';
import type { Pcb } from '../../../tcp/pcb.ts';
import { StandIn } from '../../../tcp/stand-in/stand-in.ts';
import { ACK, FIN, RST, SYN } from '../../../tcp/wire/tcp.ts';
import { fromPeer, packet, segment } from '../forge.ts';
import { pattern } from '../transfer.ts';
import {
  ADDRESS,
  ADDRESS6,
  Capture,
  ipIn,
  type Packet,
  type Segment,
  segmentIn,
  WirePair,
} from '../wire-pair.ts';

/** Station B's engine is gone, and a stand-in answers for it from then on. */
class Absence {
  readonly #wire: WirePair;
  standIn: StandIn;
  readonly said: Packet[] = [];
  readonly egress = new Capture((bytes) => {
    const answer = { from: 'b', bytes, at: this.#wire.now } as const;
    this.said.push(answer);
    if (this.isHeard) this.#wire.inject('a', bytes);
  });
  readonly shut = new Set<number>();
  /** Whether what is said is put on the wire. */
  isHeard = true;

  constructor(wire: WirePair, ...pcbs: Pcb[]) {
    this.#wire = wire;
    this.standIn = this.#newStandIn(pcbs);
    wire.filter = (packet) => {
      if (packet.from === 'a') this.hear(packet.bytes);
      return false;
    };
  }

  #newStandIn(pcbs: readonly Pcb[]): StandIn {
    const standIn = new StandIn({
      address: ADDRESS.b,
      address6: ADDRESS6.b,
      prefix: 24,
      mtu: 1500,
      entropy: () => this.#wire.random(2 ** 32),
      now: this.#wire.now,
      shut: this.shut,
      onShut: (id) => this.shut.add(id),
    });
    for (const pcb of pcbs) standIn.restore(pcb.record.slice());
    return standIn;
  }

  /** Another process answers from now on. */
  replace(...pcbs: Pcb[]): void {
    this.standIn = this.#newStandIn(pcbs);
  }

  hear(bytes: Uint8Array): void {
    this.standIn.arrive(bytes, 0, bytes.length, this.#wire.now, this.egress);
  }

  /** What it says to `bytes`, half a second later. */
  answers(bytes: Uint8Array): Segment[] {
    this.#wire.now += 500;
    const before = this.said.length;
    this.hear(bytes);
    return this.said.slice(before).map(segmentIn);
  }

  /** The engine is back, `pause` milliseconds later. */
  end(pause: number): void {
    this.#wire.filter = () => true;
    this.#wire.b.restart(pause);
    for (const id of this.shut) this.#wire.b.stack.shutWindow(id);
  }
}

function windowOf({ header }: Segment, pcb: Pcb): number {
  return header.SEG_WND * 2 ** pcb.RCV_WSCALE;
}

t.test('a peer whose text nobody can take goes on asking, for an hour', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  const text = pattern(200_000, 1);
  wire.a.send(a, text);
  wire.until(() => b.readable > 20_000, 'some of it has arrived');
  wire.b.turn();
  const [taken, edge] = [b.RCV_NXT, b.RCV_ADV];
  const absence = new Absence(wire, b);
  wire.pass(3600_000);
  t.equal(a.ERROR, 0);
  t.equal(a.state, 'ESTABLISHED');
  const answers = absence.said.map(segmentIn);
  t.ok(answers.length > 20, `${answers.length} answers`);
  for (const { header, flags } of answers) {
    t.match({ ...header, flags }, { flags: 'ACK', SEG_ACK: taken, SEG_WND: 0 });
  }
  absence.end(3600_000);
  t.same([...absence.shut], [b.ID]);
  const again = wire.b.pcb(b.ID);
  const before = wire.sent.length;
  t.equal(again.RCV_ADV, edge, 'what was offered is taken');
  wire.until(() => again.RCV_NXT !== taken, 'more has arrived');
  for (const { header } of wire.sent
    .slice(before)
    .filter(({ from }) => from === 'b')
    .map(segmentIn))
    t.equal(header.SEG_WND === 0, header.SEG_ACK === taken, 'shut until text comes');
  wire.until(() => again.readable === text.length, 'all of it has arrived');
  t.same(wire.b.receive(again), text);
});

t.test('without one, it gives up', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(200_000, 1));
  wire.until(() => b.readable > 20_000, 'some of it has arrived');
  wire.filter = () => false;
  wire.pass(3600_000);
  t.equal(a.state, 'CLOSED');
});

t.test('what asks without bringing anything is told the right edge as it was', async (t) => {
  const wire = new WirePair(2);
  const { b } = wire.establish();
  wire.b.turn();
  const absence = new Absence(wire, b);
  const probe = { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK };
  const [answer] = absence.answers(fromPeer(b, probe));
  t.match(answer?.header, { SEG_ACK: b.RCV_NXT, SEG_SEQ: b.SND_NXT });
  const window = windowOf(answer!, b);
  t.ok(window > 0 && window <= b.RCV_WND && b.RCV_WND - window < 2 ** b.RCV_WSCALE, `${window}`);

  const [shut] = absence.answers(
    fromPeer(b, { SEG_SEQ: b.RCV_NXT, SEG_ACK: b.SND_NXT, flags: ACK, text: pattern(10, 1) }),
  );
  t.match(shut?.header, { SEG_ACK: b.RCV_NXT, SEG_WND: 0 });
  const [still] = absence.answers(fromPeer(b, probe));
  t.match(still?.header, { SEG_ACK: b.RCV_NXT, SEG_WND: 0 }, 'no window opens and closes');
  absence.replace(b);
  const [again] = absence.answers(fromPeer(b, probe));
  t.match(again?.header, { SEG_ACK: b.RCV_NXT, SEG_WND: 0 }, 'nor does the next one open it');
});

t.test('what is answered, and what is not', async (t) => {
  const wire = new WirePair(3);
  const { a, b, listener } = wire.establish();
  wire.b.send(b, pattern(5000, 3));
  wire.until(() => a.readable === 5000, 'the text has arrived');
  wire.b.turn();
  const absence = new Absence(wire, b, listener);
  absence.isHeard = false;
  t.equal(absence.standIn.size, 1);
  const from = (forged: Partial<Parameters<typeof fromPeer>[1]>) =>
    absence.answers(fromPeer(b, { SEG_SEQ: b.RCV_NXT, SEG_ACK: b.SND_NXT, flags: ACK, ...forged }))
      .length;
  const text = pattern(100, 1);
  t.equal(from({ SEG_SEQ: b.RCV_NXT - 1 }), 1, 'a keep-alive');
  t.equal(from({ SEG_SEQ: b.RCV_NXT - 1, text: text.subarray(0, 1) }), 1, 'one with an octet');
  t.equal(from({ text }), 1, 'text');
  t.equal(from({ SEG_SEQ: b.RCV_NXT - 1000, text }), 1, 'old text');
  t.equal(from({ flags: ACK | FIN }), 1, 'a FIN');
  t.equal(from({ SEG_SEQ: b.RCV_ADV, text: text.subarray(0, 1) }), 1, 'an octet beyond');
  t.equal(from({ SEG_ACK: b.SND_UNA, text }), 1, 'an old acknowledgment with text');
  t.equal(from({}), 0, 'an ACK');
  t.equal(from({ flags: RST | ACK }), 0, 'a reset');
  t.equal(from({ flags: SYN }), 0, 'a SYN');
  t.equal(from({ SEG_SEQ: b.RCV_ADV + 1000, text }), 0, 'text from far beyond');
  t.equal(from({ SEG_ACK: b.SND_NXT + 1, text }), 0, 'an acknowledgment of what was not sent');
  t.equal(from({ timestamps: undefined, text }), 0, 'without the timestamps agreed on');
  const stranger = { address: ADDRESS.a, port: 5 };
  const self = { address: ADDRESS.b, port: 80 };
  for (const flags of [SYN, ACK, FIN | ACK]) {
    const bytes = segment(stranger, self, { SEG_SEQ: 1, SEG_ACK: 1, flags, text });
    t.same(absence.answers(bytes), [], 'a stranger');
  }
  const wrong = fromPeer(b, { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK });
  wrong[wrong.length - 1]! ^= 1;
  t.same(absence.answers(wrong), [], 'a wrong checksum');
  t.same(absence.answers(new Uint8Array(0)), []);
});

t.test(
  'no timestamp is below one that was sent, nor above what the next engine sends',
  async (t) => {
    const wire = new WirePair(4);
    const { a, b } = wire.establish();
    wire.b.turn();
    const absence = new Absence(wire, b);
    wire.a.send(a, pattern(1000, 4));
    wire.pass(60_000);
    const said = absence.said.map((packet) => segmentIn(packet).header.options.timestampValue);
    t.same([...new Set(said)], [b.TSVAL_RESERVED]);
    const before = wire.sent.length;
    absence.end(60_000);
    const again = wire.b.pcb(b.ID);
    wire.until(() => again.readable === 1000, 'the text arrives');
    const first = wire.sent.slice(before).find(({ from }) => from === 'b')!;
    t.ok(segmentIn(first).header.options.timestampValue - b.TSVAL_RESERVED >= 0);
  },
);

t.test('answers to one peer are apart, and those to all are counted', async (t) => {
  const wire = new WirePair(5);
  const { b } = wire.establish();
  wire.b.turn();
  const absence = new Absence(wire, b);
  absence.isHeard = false;
  const probe = fromPeer(b, { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK });
  for (let i = 0; i < 1000; i++) {
    wire.now += 1;
    absence.hear(probe);
  }
  t.equal(absence.said.length, 10);
  for (let i = 0; i < 5000; i++) absence.hear(packet(ADDRESS.a, ADDRESS.b, 1, echo()));
  t.ok(absence.said.length < 1100, `${absence.said.length}`);
});

/** An ICMP echo request without data. */
function echo(): Uint8Array {
  return Uint8Array.of(8, 0, 0xf7, 0xfe, 0, 1, 0, 0);
}

t.test('an echo is answered, over IPv4 and not to everybody', async (t) => {
  const wire = new WirePair(6);
  const absence = new Absence(wire);
  absence.hear(packet(ADDRESS.a, ADDRESS.b, 1, echo()));
  t.equal(absence.said.length, 1);
  t.match(ipIn(absence.said[0]!.bytes).destination, { ipv4: 0x0a070001 });
  for (const [from, to] of [
    ['10.7.0.255', ADDRESS.b],
    [ADDRESS.a, '10.7.0.3'],
    ['224.0.0.1', ADDRESS.b],
  ] as const) {
    absence.hear(packet(from, to, 1, echo()));
  }
  t.equal(absence.said.length, 1);
});

t.test('over IPv6 too', async (t) => {
  const wire = new WirePair(7);
  const { b } = wire.establish(80, ADDRESS6.b);
  wire.b.turn();
  const absence = new Absence(wire, b);
  const probe = { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK };
  t.match(absence.answers(fromPeer(b, probe)), [{ flags: 'ACK' }]);
});
