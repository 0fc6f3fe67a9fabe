import t from 'tap';
import { parseAddress } from '../../tcp/address.ts';
import { Negotiated, type Pcb } from '../../tcp/pcb.ts';
import { seqSub } from '../../tcp/sequence.ts';
import { emitIcmp } from '../../tcp/wire/icmp.ts';
import { ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import { ICMPV6, ICMPV6_PACKET_TOO_BIG } from '../../tcp/wire/icmpv6.ts';
import { packet } from './forge.ts';
import { pattern } from './transfer.ts';
import { ADDRESS, ADDRESS6, ipIn, type Packet, segmentIn, WirePair } from './wire-pair.ts';

const TEN_MINUTES = 600_000;
/** IP, TCP, timestamps. */
const HEADERS = { 4: 20 + 20 + 12, 6: 40 + 20 + 12 } as const;

type Version = 4 | 6;

/** What a router says to A that cannot forward `bytes`. */
function packetTooBig(bytes: Uint8Array, mtu: number): Uint8Array {
  const { isIpv4 } = ipIn(bytes).source;
  const icmp = isIpv4 ? ICMPV4 : ICMPV6;
  const [type, code] = isIpv4 ? [ICMPV4.destinationUnreachable, 4] : [ICMPV6_PACKET_TOO_BIG, 0];
  const [router, a] = isIpv4 ? ['10.9.9.9', ADDRESS.a] : ['fd00:9::9', ADDRESS6.a];
  const length = Math.min(bytes.length, icmp.maxQuotedLength);
  const message = new Uint8Array(8 + length);
  const sum = icmp.pseudoHeaderSum(parseAddress(router)!, parseAddress(a)!, message.length);
  const view = new DataView(message.buffer);
  emitIcmp(message, view, 0, type, code, mtu, bytes, 0, length, sum);
  return packet(router, a, icmp.protocol, message);
}

/** A wire that carries packets of A up to `mtu` bytes, on which A has a connection to B. */
class NarrowWire {
  readonly wire: WirePair;
  readonly a: number;
  readonly b: Pcb;
  /** What the router says is its MTU; undefined: it says nothing. */
  told: number | undefined;
  mtu: number;
  /** How long the packets were that did not fit. */
  readonly dropped: number[] = [];

  constructor(seed: number, version: Version, mtu: number, told?: number) {
    this.wire = new WirePair(seed);
    const { a, b } = this.wire.establish(80, version === 4 ? ADDRESS.b : ADDRESS6.b);
    this.a = a.ID;
    this.b = b;
    this.mtu = mtu;
    this.told = told;
    this.wire.filter = (packet) => this.#carries(packet);
  }

  get pcb(): Pcb {
    return this.wire.a.pcb(this.a);
  }

  #carries({ from, bytes }: Packet): boolean {
    if (from === 'b' || bytes.length <= this.mtu) return true;
    this.dropped.push(bytes.length);
    if (this.told !== undefined) this.wire.inject('a', packetTooBig(bytes, this.told));
    return false;
  }

  /** Sends `length` bytes from A to B. @returns whether they arrive as they were */
  transfer(length: number): boolean {
    const text = pattern(length, 1);
    const heard: Buffer[] = [];
    let sent = 0;
    let count = 0;
    this.wire.until(() => {
      sent += this.wire.a.send(this.pcb, text.subarray(sent));
      const bytes = Buffer.from(this.wire.b.receive(this.b));
      heard.push(bytes);
      count += bytes.length;
      return count === length;
    }, 'all of it has arrived');
    return Buffer.concat(heard).equals(text);
  }
}

for (const version of [4, 6] as const) {
  const headers = HEADERS[version];

  t.test(`IPv${version}: a router tells its MTU`, async (t) => {
    const narrow = new NarrowWire(1, version, 1300, 1300);
    const { ssthresh } = narrow.pcb;
    t.ok(narrow.transfer(1_000_000));
    t.equal(narrow.pcb.SND_MSS, 1300 - headers);
    t.ok(narrow.dropped.length <= 10, 'what left before the first message arrived');
    t.equal(narrow.pcb.ssthresh, ssthresh, 'RFC 1191 section 6.5: that was no congestion');
  });

  t.test(`IPv${version}: nobody tells: a black hole`, async (t) => {
    const narrow = new NarrowWire(2, version, 1400);
    t.ok(narrow.transfer(1_000_000));
    const size = narrow.pcb.SND_MSS + headers;
    t.ok(size <= 1400 && size > 1392, `found ${size}`);
    t.equal(narrow.pcb.MAX_SND_MSS, 1500 - headers);
  });

  t.test(`IPv${version}: the path is larger after ten minutes`, async (t) => {
    const narrow = new NarrowWire(3, version, 1300, 1300);
    narrow.transfer(100_000);
    narrow.mtu = 1500;
    narrow.wire.pass(TEN_MINUTES - 60_000);
    narrow.transfer(100_000);
    t.equal(narrow.pcb.SND_MSS, 1300 - headers, 'not before (RFC 8201 section 4)');
    narrow.wire.pass(60_000);
    narrow.transfer(100_000);
    t.equal(narrow.pcb.SND_MSS, 1500 - headers);
  });

  t.test(
    `IPv${version}: the path is still as narrow after ten minutes, and tells so`,
    async (t) => {
      const narrow = new NarrowWire(4, version, 1300, 1300);
      narrow.transfer(100_000);
      narrow.wire.pass(TEN_MINUTES);
      narrow.dropped.length = 0;
      const { ssthresh } = narrow.pcb;
      t.ok(narrow.transfer(100_000));
      t.same(narrow.dropped, [1500], 'one probe');
      t.equal(narrow.pcb.SND_MSS, 1300 - headers);
      t.equal(narrow.pcb.ssthresh, ssthresh, 'the loss of a probe is no congestion');
    },
  );

  t.test(`IPv${version}: an engine that dies knows the path afterwards`, async (t) => {
    const narrow = new NarrowWire(5, version, 1300, 1300);
    narrow.transfer(100_000);
    narrow.wire.a.send(narrow.pcb, new Uint8Array(1));
    narrow.wire.pass(1000);
    narrow.wire.b.receive(narrow.b);
    narrow.wire.a.restart();
    t.equal(narrow.pcb.SND_MSS, 1300 - headers);
    t.equal(narrow.pcb.MAX_SND_MSS, 1500 - headers);
    t.ok(narrow.transfer(100_000));
  });
}

t.test('a probe that is lost in silence is no congestion (RFC 4821 section 7.6.2)', async (t) => {
  for (const hasSack of [true, false]) {
    const narrow = new NarrowWire(6, 4, 1300, 1300);
    const { b, pcb } = narrow;
    if (!hasSack) for (const end of [pcb, b]) end.NEGOTIATED &= ~Negotiated.SACK;
    narrow.transfer(100_000);
    narrow.told = undefined;
    narrow.mtu = 1400;
    narrow.wire.pass(TEN_MINUTES);
    narrow.dropped.length = 0;
    const { ssthresh } = narrow.pcb;
    t.ok(narrow.transfer(500_000));
    t.ok(narrow.dropped.length > 1, 'more than one probe was too large');
    const size = narrow.pcb.SND_MSS + HEADERS[4];
    t.ok(size <= 1400 && size > 1392, `found ${size}`);
    t.equal(narrow.pcb.ssthresh, ssthresh, hasSack ? 'with SACK' : 'without SACK');
  }
});

t.test('a path that was merely down is used in full again', async (t) => {
  const narrow = new NarrowWire(7, 4, 1500);
  narrow.mtu = 0;
  narrow.wire.a.send(narrow.pcb, new Uint8Array(50_000));
  narrow.wire.pass(20_000);
  t.equal(narrow.pcb.SND_MSS, 576 - HEADERS[4], 'suspected');
  narrow.mtu = 1500;
  narrow.wire.until(() => narrow.b.readable === 50_000, 'all has arrived');
  narrow.wire.b.receive(narrow.b);
  narrow.transfer(50_000);
  t.equal(narrow.pcb.SND_MSS, 1500 - HEADERS[4]);
});

t.test('a router that does not tell its MTU (RFC 1191 section 5)', async (t) => {
  const narrow = new NarrowWire(8, 4, 1400, 0);
  t.ok(narrow.transfer(100_000));
  t.equal(narrow.pcb.SND_MSS, 1006 - HEADERS[4], '1492, and then 1006');
});

t.test('what is not believed', async (t) => {
  for (const [version, mtu, believed] of [
    [4, 67, undefined],
    [4, 68, 552],
    [4, 551, 552],
    [4, 1499, 1499],
    [4, 1500, undefined],
    [4, 65535, undefined],
    [6, 0, undefined],
    [6, 1279, undefined],
    [6, 1280, 1280],
    [6, 1500, undefined],
    [6, 2 ** 32 - 1, undefined],
  ] as const) {
    const { wire, pcb } = new NarrowWire(9, version, 1500);
    const { length } = wire.sent;
    wire.a.send(pcb, new Uint8Array(pcb.SND_MSS));
    wire.a.turn();
    const bytes = packetTooBig(wire.sent[length]!.bytes, mtu);
    wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
    wire.a.turn();
    const expected = (believed ?? 1500) - HEADERS[version];
    t.equal(pcb.SND_MSS, expected, `IPv${version}, ${mtu}`);
    const again = wire.sent.slice(length + 1).map((packet) => segmentIn(packet).header);
    t.equal(again.length, believed === undefined ? 0 : Math.ceil(pcb.MAX_SND_MSS / expected));
    if (believed === undefined) continue;
    t.equal(seqSub(again[0]!.SEG_SEQ, pcb.SND_UNA), 0);
    t.equal(again[0]!.payloadLength, expected);
  }
});

t.test(
  'a message about what has been acknowledged is ignored (RFC 5927 section 4.1)',
  async (t) => {
    const { wire, pcb, b } = new NarrowWire(10, 6, 1500);
    const { length } = wire.sent;
    wire.a.send(pcb, new Uint8Array(pcb.SND_MSS));
    wire.until(() => b.readable > 0 && pcb.SND_UNA === pcb.SND_NXT, 'it is acknowledged');
    const bytes = packetTooBig(wire.sent[length]!.bytes, 1300);
    wire.a.stack.arrive(bytes, 0, bytes.length, wire.now);
    t.equal(pcb.SND_MSS, pcb.MAX_SND_MSS);
  },
);
