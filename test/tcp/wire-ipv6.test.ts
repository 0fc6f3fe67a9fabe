import t from 'tap';
import { formatAddress, IpAddress } from '../../tcp/address.ts';
import { finishChecksum, ipv6PseudoHeaderSum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { emitIpv6, Ipv6Header, Problem, parseIpv6, parseQuotedIpv6 } from '../../tcp/wire/ipv6.ts';
import { mutate, readInBounds } from './hostile.ts';
import { viewOf } from './kernel-packets.ts';
import { kernelPacketIpv6, NAMES_IPV6 } from './kernel-packets-ipv6.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION = 60;
const UDP = 17;

/** A packet with these extension headers, each without its first octet, the next header. */
function withExtensions(extensions: readonly (readonly [number, number[]])[]): Uint8Array {
  const protocols = [...extensions.map(([protocol]) => protocol), UDP];
  const bytes = extensions.flatMap(([, rest], i) => [protocols[i + 1]!, ...rest]);
  const packet = Uint8Array.from([
    ...kernelPacketIpv6('udp').subarray(0, 40),
    ...bytes,
    ...new Array<number>(8).fill(0),
  ]);
  packet[4] = (packet.length - 40) >> 8;
  packet[5] = (packet.length - 40) & 255;
  packet[6] = protocols[0]!;
  return packet;
}

function parse(packet: Uint8Array): Ipv6Header | undefined {
  const header = new Ipv6Header();
  return parseIpv6(viewOf(packet), 0, packet.length, header) ? header : undefined;
}

/** Why it was refused: one of `Problem`, and where. */
function problemOf(packet: Uint8Array): [number, number] {
  const header = new Ipv6Header();
  if (parseIpv6(viewOf(packet), 0, packet.length, header)) throw new Error('not refused');
  return [header.problem, header.problem === Problem.NONE ? 0 : header.problemAt];
}

const PADDING = [0, 1, 4, 0, 0, 0, 0];

t.test("the kernel's headers are read, and written as the kernel did", async (t) => {
  for (const name of NAMES_IPV6) {
    const packet = kernelPacketIpv6(name);
    const header = parse(packet)!;
    t.equal(header.payloadLength, packet.length - 40, name);
    if (name === 'destinationOptions') continue;
    const again = packet.slice().fill(0xee, 0, 40);
    t.equal(emitIpv6(viewOf(again), 0, header), 40);
    t.same(again, packet);
  }
});

t.test("the pseudo header is right for the kernel's segments and messages", async (t) => {
  for (const name of NAMES_IPV6) {
    if (name === 'experiment') continue;
    const packet = kernelPacketIpv6(name);
    const { source, destination, protocol, headerLength } = parse(packet)!;
    const length = packet.length - headerLength;
    const sum = ipv6PseudoHeaderSum(source, destination, protocol, length);
    t.equal(finishChecksum(onesComplementSum(viewOf(packet), headerLength, length, sum)), 0, name);
  }
});

t.test('every field of the header of a SYN', async (t) => {
  const header = parse(kernelPacketIpv6('syn'))!;
  t.match(header, {
    trafficClass: 0,
    flowLabel: 0xc5709,
    payloadLength: 40,
    hopLimit: 64,
    protocol: 6,
    protocolAt: 6,
    headerLength: 40,
    isFragment: false,
  });
  t.equal(formatAddress(header.source), 'fd00:7::1');
  t.equal(formatAddress(header.destination), 'fd00:7::2');
});

t.test('any header is read as it was written', async (t) => {
  const address = () => new IpAddress(random.u32(), random.u32(), random.u32(), random.u32());
  const written = new Ipv6Header();
  for (let round = 0; round < 5000; round++) {
    written.trafficClass = random.below(256);
    written.flowLabel = random.below(2 ** 20);
    written.payloadLength = random.below(100);
    written.hopLimit = random.below(256);
    written.protocol = 6;
    written.protocolAt = 6;
    written.source = address();
    written.destination = address();
    const bytes = random.bytes(140);
    emitIpv6(viewOf(bytes), 0, written);
    const read = parse(bytes);
    if (JSON.stringify(read) !== JSON.stringify(written)) t.same(read, written);
  }
  t.pass('in every round');
});

t.test('extension headers are walked (RFC 8200 section 4.1)', async (t) => {
  t.match(parse(kernelPacketIpv6('destinationOptions')), {
    protocol: UDP,
    headerLength: 48,
    protocolAt: 40,
  });
  const all = withExtensions([
    [HOP_BY_HOP, PADDING],
    [DESTINATION, [1, ...new Array<number>(14).fill(0)]],
    [ROUTING, [0, 0, 0, 0, 0, 0, 0]],
    [FRAGMENT, [0, 0, 0, 1, 2, 3, 4]],
    [DESTINATION, PADDING],
  ]);
  t.match(parse(all), {
    protocol: UDP,
    headerLength: 40 + 8 + 16 + 8 + 8 + 8,
    isFragment: false,
    identification: 0x01020304,
  });
});

t.test('behind the header of a fragment nothing is read (section 4.5)', async (t) => {
  const packet = withExtensions([
    [DESTINATION, PADDING],
    [FRAGMENT, [0, 0x05, 0xa9, 0, 0, 0, 9]],
    [DESTINATION, [255, 255, 255, 255, 255, 255, 255]],
  ]);
  t.match(parse(packet), {
    isFragment: true,
    moreFragments: true,
    fragmentOffset: 0x5a8,
    identification: 9,
    headerLength: 56,
    protocol: DESTINATION,
    unfragmentableLength: 48,
    fragmentAnnouncedAt: 40,
  });
});

t.test('what the sender may be told of (RFC 8200 section 4, RFC 4443 section 3.4)', async (t) => {
  const late = withExtensions([
    [DESTINATION, PADDING],
    [HOP_BY_HOP, PADDING],
  ]);
  t.same(problemOf(late), [Problem.UNRECOGNIZED_NEXT_HEADER, 40], 'hop-by-hop that is not first');
  const routed = withExtensions([[ROUTING, [0, 0, 1, 0, 0, 0, 0]]]);
  t.same(problemOf(routed), [Problem.ERRONEOUS_FIELD, 42], 'a routing header with segments left');
  const option = (type: number) => withExtensions([[DESTINATION, [0, 1, 0, type, 2, 0, 0]]]);
  t.equal(parse(option(0x1e))?.protocol, UDP, 'an unknown option with 00 is skipped');
  t.same(problemOf(option(0x5e)), [Problem.NONE, 0], 'one with 01 is dropped');
  t.same(problemOf(option(0x9e)), [Problem.UNRECOGNIZED_OPTION, 44], 'one with 10');
  t.same(problemOf(option(0xde)), [Problem.UNRECOGNIZED_OPTION, 44], 'one with 11');
});

t.test('what contradicts itself is refused in silence', async (t) => {
  const refuses = (why: string, packet: Uint8Array) => t.same(problemOf(packet), [-1, 0], why);
  const udp = kernelPacketIpv6('udp');
  refuses('another version', udp.slice().fill(0x45, 0, 1));
  refuses('less than a header', udp.subarray(0, 39));
  refuses('nothing', new Uint8Array(0));
  refuses('a payload beyond what came', udp.subarray(0, 49));
  refuses(
    'an extension beyond the payload',
    withExtensions([[DESTINATION, [3, ...PADDING.slice(1)]]]),
  );
  refuses('an option beyond its header', withExtensions([[DESTINATION, [0, 1, 5, 0, 0, 0, 0]]]));
  refuses('an option of one octet', withExtensions([[DESTINATION, [0, 1, 3, 0, 0, 0, 1]]]));
  const twice: [number, number[]] = [FRAGMENT, [0, 0, 0, 0, 0, 0, 1]];
  refuses('a fragment of a fragment', withExtensions([twice, twice]));
  const none = udp.slice();
  none[6] = 59;
  refuses('no next header', none);
  const cut = withExtensions([[FRAGMENT, [0, 0, 1, 0, 0, 0, 1]]]).subarray(0, 46);
  cut[5] = 6;
  refuses('half a fragment header', cut);
});

t.test('a quoted header may be cut short behind', async (t) => {
  const header = new Ipv6Header();
  const packet = kernelPacketIpv6('destinationOptions').subarray(0, 50);
  t.equal(parse(packet), undefined);
  t.equal(parseQuotedIpv6(viewOf(packet), 0, 50, header), true);
  t.equal(header.headerLength, 48);
  t.equal(parseQuotedIpv6(viewOf(packet), 0, 47, header), false);
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const header = new Ipv6Header();
  const extended = withExtensions([
    [HOP_BY_HOP, PADDING],
    [ROUTING, [0, 0, 0, 0, 0, 0, 0]],
    [FRAGMENT, [0, 0, 0, 1, 2, 3, 4]],
    [DESTINATION, PADDING],
  ]);
  const seeds = [...NAMES_IPV6.map(kernelPacketIpv6), extended, extended, extended];
  let accepted = 0;
  let told = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(random, seeds[round % seeds.length]!);
    for (const read of [parseIpv6, parseQuotedIpv6]) {
      const found = readInBounds(random, bytes, (view, offset, length) =>
        read(view, offset, length, header) ? JSON.stringify(header) : `${header.problem}`,
      );
      if (header.problem !== Problem.NONE) {
        told++;
        if (header.problemAt >= bytes.length) t.fail(found);
      }
      if (!found.startsWith('{')) continue;
      accepted++;
      if (header.headerLength > bytes.length) t.fail(`${found} in ${bytes.length}`);
      if (read === parseIpv6 && header.headerLength > 40 + header.payloadLength) t.fail(found);
    }
  }
  t.ok(accepted > 10_000, 'many of them were packets');
  t.ok(told > 100, 'many of them had something to tell of');
});
