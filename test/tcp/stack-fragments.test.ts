import t from 'tap';
import { parseAddress } from '../../tcp/address.ts';
import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { cutIntoFragments, type IpFragment, joinFragments } from '../../tcp/wire/fragments.ts';
import { ICMPV6 } from '../../tcp/wire/icmpv6.ts';
import { Ipv4Header, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import { Ipv6Header, parseIpv6 } from '../../tcp/wire/ipv6.ts';
import { SYN } from '../../tcp/wire/tcp.ts';
import { packet, segment } from './forge.ts';
import {
  type Extension,
  fragmentHeader,
  NEXT_HEADER,
  padding,
  pseudoHeader6,
  writeIpv6,
} from './ipv6-packet.ts';
import { viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';
import { checksum } from './scripts/packet.ts';
import { pattern } from './transfer.ts';
import { ADDRESS, ADDRESS6, arriveAtB, ipIn, segmentIn, WirePair } from './wire-pair.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

/** To B, over IPv6. */
function fragment6(
  identification: number,
  payload: Uint8Array,
  start: number,
  end = payload.length,
  options: { before?: Extension[]; protocol?: number; from?: string } = {},
): Uint8Array {
  const { before = [], protocol = NEXT_HEADER.icmp, from = ADDRESS6.a } = options;
  const isMore = end < payload.length;
  return writeIpv6({
    source: from,
    destination: ADDRESS6.b,
    extensions: [...before, fragmentHeader(start, isMore, identification)],
    protocol,
    payload: payload.subarray(start, end),
  });
}

function echo6(length: number, type: number = ICMPV6.echoRequest): Uint8Array {
  const bytes = Uint8Array.from([type, 0, 0, 0, 0, 1, 0, 2, ...pattern(length, 1)]);
  const pseudo = pseudoHeader6(ADDRESS6.a, ADDRESS6.b, NEXT_HEADER.icmp, bytes.length);
  new DataView(bytes.buffer).setUint16(2, checksum(pseudo, bytes));
  return bytes;
}

/** Of an ICMPv6 message: type, code and the second word. */
function icmp6(bytes: Uint8Array): [type: number, code: number, parameter: number] {
  const { at } = ipIn(bytes);
  return [bytes[at]!, bytes[at + 1]!, viewOf(bytes.slice()).getUint32(at + 4)];
}

/** As it arrived. */
function fragmentOf(bytes: Uint8Array<ArrayBuffer>): IpFragment {
  const isIpv4 = bytes[0]! >>> 4 === 4;
  const header = isIpv4 ? new Ipv4Header() : new Ipv6Header();
  const view = viewOf(bytes);
  const isGood = isIpv4
    ? parseIpv4(view, 0, bytes.length, header as Ipv4Header)
    : parseIpv6(view, 0, bytes.length, header as Ipv6Header);
  if (!isGood || !header.isFragment) throw new Error('no fragment');
  const { fragmentOffset: start, headerLength: payloadAt, moreFragments } = header;
  const end = start + bytes.length - payloadAt;
  return { packet: bytes, payloadAt, start, end, isLast: !moreFragments };
}

t.test('what is cut is joined again, byte for byte', async (t) => {
  for (let round = 0; round < 500; round++) {
    const addresses = round % 2 === 0 ? ADDRESS : ADDRESS6;
    const whole = packet(addresses.a, addresses.b, 17, random.bytes(random.between(1500, 9000)));
    const copy = new Uint8Array(whole);
    const mtu = random.between(576, 1499);
    const parts = cutIntoFragments(copy, mtu, random.u32());
    if (parts.some(({ length }) => length > mtu)) t.fail('a fragment is longer than the MTU');
    const joined = joinFragments(parts.map(fragmentOf))!;
    // RFC 6864 section 4.1: what is not fragmented may have any identification, and fragments cannot say DF.
    if (round % 2 === 0) {
      joined.copyWithin(4, 6, 6);
      joined.set(whole.subarray(4, 8), 4);
      const view = new DataView(joined.buffer);
      view.setUint16(10, 0);
      view.setUint16(10, finishChecksum(onesComplementSum(view, 0, 20)));
    }
    if (Buffer.compare(joined, whole) !== 0) t.fail(`round ${round}`);
  }
  t.pass('in every round');
});

t.test('what would be longer than a packet can be is not joined', async (t) => {
  for (const [addresses, most] of [
    [ADDRESS, 65_535 - 20],
    [ADDRESS6, 65_535],
  ] as const) {
    const whole = (length: number) => {
      const bytes = new Uint8Array(packet(addresses.a, addresses.b, 17, new Uint8Array(2000)));
      const [first] = cutIntoFragments(bytes, 1500, 1).map(fragmentOf) as [IpFragment];
      const rest = { ...first, packet: new Uint8Array(first.payloadAt + length - first.end) };
      return joinFragments([first, { ...rest, start: first.end, end: length, isLast: true }]);
    };
    t.equal(whole(most)?.length, 65_535 + (addresses === ADDRESS ? 0 : 40));
    t.equal(whole(most + 1), undefined);
  }
});

t.test(
  'congestion that a fragment met is that of the datagram (RFC 3168 section 5.3)',
  async (t) => {
    const [NOT_ECT, ECT, CE] = [0, 2, 3];
    for (const addresses of [ADDRESS, ADDRESS6]) {
      const isIpv4 = addresses === ADDRESS;
      const join = (...codepoints: number[]) => {
        const whole = packet(addresses.a, addresses.b, 17, new Uint8Array(1500));
        const parts = cutIntoFragments(new Uint8Array(whole), 700, 1).map(fragmentOf);
        parts.forEach(({ packet }, i) => {
          packet[1]! |= codepoints[i]! << (isIpv4 ? 0 : 4);
        });
        const joined = joinFragments(parts);
        return joined && (joined[1]! >>> (isIpv4 ? 0 : 4)) & 3;
      };
      t.equal(join(ECT, ECT, ECT), ECT);
      t.equal(join(ECT, CE, ECT), CE);
      t.equal(join(NOT_ECT, NOT_ECT, NOT_ECT), NOT_ECT);
      t.equal(join(ECT, CE, NOT_ECT), undefined, 'it must not be said to who does not understand');
    }
  },
);

t.test(
  'TCP in fragments over IPv6, with options before and behind the fragment header',
  async (t) => {
    const wire = new WirePair(1);
    wire.b.listen(80);
    const from = { address: ADDRESS6.a, port: 9 };
    const to = { address: ADDRESS6.b, port: 80 };
    const text = pattern(100, 1);
    const syn = segment(from, to, { SEG_SEQ: 7, flags: SYN, text }).subarray(40);
    const options = padding(NEXT_HEADER.destination).rest;
    const payload = Uint8Array.from([NEXT_HEADER.tcp, ...options, ...syn]);
    const protocol = NEXT_HEADER.destination;
    const before = [padding(NEXT_HEADER.hopByHop)];
    const answers = arriveAtB(
      wire,
      fragment6(2, payload, 64, payload.length, { protocol }),
      fragment6(2, payload, 0, 32, { protocol, before }),
      fragment6(2, payload, 32, 64, { protocol }),
    );
    t.equal(segmentIn({ from: 'b', bytes: answers[0]!, at: 0 }).flags, 'SYN,ACK');
  },
);

t.test('an echo longer than the MTU is answered in fragments with the same data', async (t) => {
  const wire = new WirePair(2);
  const echo = echo6(4000);
  const replies = arriveAtB(
    wire,
    fragment6(1, echo, 2400),
    fragment6(1, echo, 0, 1200),
    fragment6(1, echo, 1200, 2400),
  );
  t.equal(replies.length, 3);
  t.ok(replies.every(({ length }) => length <= 1500));
  const whole = joinFragments(replies.map((bytes) => fragmentOf(new Uint8Array(bytes))))!;
  t.same(whole.subarray(48), pattern(4000, 1));
  t.same(icmp6(whole), [ICMPV6.echoReply, 0, 0x10002]);
});

t.test('fragments of ICMP are numbered as those of datagrams are', async (t) => {
  const wire = new WirePair(10);
  const ask = () =>
    arriveAtB(wire, fragment6(7, echo6(2000), 0, 1200), fragment6(7, echo6(2000), 1200));
  const socket = wire.b.stack.udp.create();
  const send = () => {
    const before = wire.sent.length;
    const to = { address: parseAddress(ADDRESS6.a)!, port: 9 };
    wire.b.stack.udp.send(socket, new Uint8Array(2000), wire.now, to);
    wire.b.turn();
    return wire.sent.slice(before).map(({ bytes }) => bytes);
  };
  const numbers = [...ask(), ...send(), ...ask()].map((bytes) => viewOf(bytes).getUint32(44));
  const first = numbers[0]!;
  // RFC 6864 section 4.2: none comes again to a destination before all others have.
  t.same(
    numbers,
    [0, 0, 1, 1, 2, 2].map((later) => (first + later) >>> 0),
  );
});

t.test('an atomic fragment is whole, whatever else waits (RFC 6946 section 4)', async (t) => {
  const wire = new WirePair(3);
  const echo = echo6(100);
  t.same(arriveAtB(wire, fragment6(9, echo, 0, 64)), []);
  t.equal(arriveAtB(wire, fragment6(9, echo, 0)).length, 1);
  t.equal(arriveAtB(wire, fragment6(9, echo, 64)).length, 1, 'the other is complete now');
});

t.test('overlapping fragments of IPv6 are discarded in silence (RFC 5722 section 4)', async (t) => {
  const wire = new WirePair(4);
  const echo = echo6(100);
  t.same(arriveAtB(wire, fragment6(1, echo, 0, 64), fragment6(1, echo, 56)), []);
  t.same(arriveAtB(wire, fragment6(1, echo, 64), fragment6(1, echo, 0, 64)), []);
  const before = wire.sent.length;
  wire.pass(120_000);
  t.equal(wire.sent.length, before);
});

t.test('who sends what cannot be put together is told (RFC 8200 section 4.5)', async (t) => {
  const echo = echo6(1000);
  const told = (bytes: Uint8Array) => {
    const [answer] = arriveAtB(new WirePair(5), bytes);
    return answer && icmp6(answer);
  };
  t.same(told(fragment6(1, echo, 0, 20)), [4, 0, 4], 'not a multiple of 8');
  const long = new Uint8Array(65_536).fill(0);
  t.same(told(fragment6(1, long, 65_528)), [4, 0, 42], 'too long');
  const options = { before: [padding(NEXT_HEADER.destination)] };
  t.same(told(fragment6(1, long, 65_520, 65_528, options)), [4, 0, 50], 'also with its options');
  t.equal(told(fragment6(1, long, 65_520, 65_528)), undefined, 'not yet');
});

t.test('the first fragment has all headers (RFC 7112 section 5)', async (t) => {
  const { destination, tcp, udp } = NEXT_HEADER;
  const told = (protocol: number, ...bytes: number[]) => {
    const payload = Uint8Array.from([...bytes, ...new Array<number>(100).fill(0)]);
    const [answer] = arriveAtB(
      new WirePair(6),
      fragment6(1, payload, 0, bytes.length, { protocol }),
    );
    return answer && icmp6(answer);
  };
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const refused = [4, 3, 0];
  t.same(told(tcp, ...zeros(16)), refused);
  t.equal(told(tcp, ...zeros(24)), undefined);
  t.equal(told(udp, ...zeros(8)), undefined);
  t.same(told(destination, udp, 1, 1, 12, ...zeros(4)), refused, 'its options go on');
  t.same(told(destination, udp, 0, 1, 4, ...zeros(4)), refused, 'UDP is missing');
  t.equal(told(destination, udp, 0, 1, 4, ...zeros(12)), undefined);
});

t.test('what stays incomplete is told after a minute (RFC 8200 section 4.5)', async (t) => {
  const wire = new WirePair(7);
  const first = fragment6(1, echo6(1000), 0, 512);
  t.same(arriveAtB(wire, first, fragment6(2, echo6(1000), 512)), []);
  t.same(arriveAtB(wire, fragment6(3, echo6(1000, 1), 0, 512)), [], 'an error');
  wire.pass(59_999);
  t.equal(wire.sent.length, 0);
  wire.pass(1);
  t.equal(wire.sent.length, 1, 'only of what has its first fragment and is no error');
  const { bytes } = wire.sent[0]!;
  t.same(icmp6(bytes), [3, 1, 0]);
  t.same(bytes.subarray(48), first, 'it quotes the first fragment');
});
