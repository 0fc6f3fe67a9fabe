import t from 'tap';
import { InvariantError } from '../../tcp/assert.ts';
import {
  finishChecksum,
  ipv4PseudoHeaderSum,
  onesComplementSum,
  pseudoHeaderSum,
} from '../../tcp/wire/checksum.ts';
import { Ipv4Header, PROTOCOL_TCP, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import {
  ACK,
  emitTcp,
  FIN,
  PSH,
  parseTcp,
  RST,
  SYN,
  TcpHeader,
  tcpHeaderLength,
} from '../../tcp/wire/tcp.ts';
import { mutate, readInBounds } from './hostile.ts';
import { kernelPacket, viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const SEGMENTS = ['syn', 'synAck', 'data', 'sack', 'fin', 'rst'] as const;

/** The segment in a packet of the kernel's, and the sum of its pseudo header. */
function kernelSegment(name: (typeof SEGMENTS)[number]): { bytes: Uint8Array; pseudo: number } {
  const packet = kernelPacket(name);
  const ip = new Ipv4Header();
  parseIpv4(viewOf(packet), 0, packet.length, ip);
  const bytes = packet.slice(ip.headerLength);
  return {
    bytes,
    pseudo: pseudoHeaderSum(ip.source, ip.destination, PROTOCOL_TCP, bytes.length),
  };
}

t.test("the kernel's segments are read, and written byte for byte as the kernel did", async (t) => {
  const header = new TcpHeader();
  for (const name of SEGMENTS) {
    const { bytes, pseudo } = kernelSegment(name);
    t.equal(parseTcp(viewOf(bytes), 0, bytes.length, pseudo, header), true, name);
    t.equal(tcpHeaderLength(header), header.headerLength);
    const again = bytes.slice().fill(0xee, 0, header.payloadOffset);
    t.equal(emitTcp(viewOf(again), 0, header, header.payloadLength, pseudo), header.headerLength);
    t.same(again, bytes);
  }
});

t.test('what the kernel said in them', async (t) => {
  const read = (name: (typeof SEGMENTS)[number]) => {
    const { bytes, pseudo } = kernelSegment(name);
    const header = new TcpHeader();
    parseTcp(viewOf(bytes), 0, bytes.length, pseudo, header);
    return header;
  };
  // As tcpdump -v prints them.
  t.match(read('syn'), {
    sourcePort: 44590,
    destinationPort: 9000,
    SEG_SEQ: 2846023740,
    SEG_ACK: 0,
    SEG_WND: 64240,
    SEG_LEN: 1,
    flags: SYN,
    headerLength: 40,
    options: {
      hasMss: true,
      mss: 1460,
      sackPermitted: true,
      hasTimestamps: true,
      timestampValue: 34973774,
      timestampEcho: 0,
      hasWindowScale: true,
      windowScale: 10,
    },
  });
  t.match(read('synAck'), { flags: SYN | ACK, SEG_SEQ: 4084447608, SEG_ACK: 2846023741 });
  t.match(read('data'), { flags: PSH | ACK, SEG_LEN: 13, payloadOffset: 32, payloadLength: 13 });
  t.match(read('fin'), { flags: FIN | ACK, SEG_LEN: 1, payloadLength: 0 });
  t.match(read('rst'), { flags: RST | ACK, SEG_LEN: 0 });
  const sack = read('sack');
  t.equal(sack.options.sackCount, 1);
  t.same(
    [...sack.options.sackEdges.subarray(0, 2)].map((edge) => edge - sack.SEG_ACK),
    [100, 200],
  );
});

t.test('any segment is read as it was written, at any place', async (t) => {
  const written = new TcpHeader();
  const read = new TcpHeader();
  for (let round = 0; round < 5000; round++) {
    const { options } = written;
    written.sourcePort = random.below(65536);
    written.destinationPort = random.below(65536);
    written.SEG_SEQ = random.u32();
    written.SEG_ACK = random.u32();
    written.SEG_WND = random.below(65536);
    written.SEG_UP = random.below(65536);
    written.flags = random.below(256);
    options.clear();
    options.hasMss = random.chance(0.3);
    options.hasTimestamps = random.chance(0.5);
    options.timestampValue = random.u32();
    options.sackCount = random.below(4);
    const payload = random.bytes(random.below(50));
    const offset = random.below(50);
    const bytes = random.bytes(200);
    const before = bytes.slice();
    const headerLength = tcpHeaderLength(written);
    const length = headerLength + payload.length;
    bytes.set(payload, offset + headerLength);
    const pseudo = ipv4PseudoHeaderSum(random.u32(), random.u32(), PROTOCOL_TCP, length);
    if (emitTcp(viewOf(bytes), offset, written, payload.length, pseudo) !== headerLength) {
      t.fail(`round ${round}: header length`);
    }
    if (!parseTcp(viewOf(bytes), offset, length, pseudo, read)) t.fail(`round ${round}: refused`);
    for (const field of ['sourcePort', 'destinationPort', 'SEG_SEQ', 'SEG_ACK'] as const) {
      if (read[field] !== written[field]) t.fail(`round ${round}: ${field}`);
    }
    for (const field of ['SEG_WND', 'SEG_UP', 'flags'] as const) {
      if (read[field] !== written[field]) t.fail(`round ${round}: ${field}`);
    }
    const expected =
      payload.length + Number((read.flags & SYN) > 0) + Number((read.flags & FIN) > 0);
    if (read.SEG_LEN !== expected) t.fail(`round ${round}: SEG.LEN`);
    const got = bytes.subarray(read.payloadOffset, read.payloadOffset + read.payloadLength);
    if (!Buffer.from(got).equals(payload)) t.fail(`round ${round}: payload`);
    bytes.set(before.subarray(offset, offset + length), offset);
    if (!Buffer.from(bytes).equals(before)) t.fail(`round ${round}: wrote elsewhere`);
  }
  t.pass('in every round');
});

t.test('one wrong bit anywhere, or another address, is noticed', async (t) => {
  const header = new TcpHeader();
  const { bytes, pseudo } = kernelSegment('data');
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 0x80 >> (bit & 7);
    if (parseTcp(viewOf(changed), 0, changed.length, pseudo, header)) t.fail(`bit ${bit}`);
  }
  t.equal(parseTcp(viewOf(bytes), 0, bytes.length, pseudo + 1, header), false);
});

t.test('lengths that contradict each other are refused', async (t) => {
  const header = new TcpHeader();
  const accepts = (bytes: Uint8Array) => {
    if (bytes.length >= 20) repair(bytes, 0);
    return parseTcp(viewOf(bytes), 0, bytes.length, 0, header);
  };
  const { bytes } = kernelSegment('syn');
  const withDataOffset = (words: number) => {
    const changed = bytes.slice();
    changed[12] = words << 4;
    return changed;
  };
  t.equal(accepts(withDataOffset(10)), true);
  t.equal(accepts(withDataOffset(5)), true, 'options are payload then');
  t.equal(header.payloadLength, 20);
  t.equal(accepts(withDataOffset(4)), false, 'a header shorter than 20');
  t.equal(accepts(withDataOffset(11)), false, 'a header longer than the segment');
  t.equal(accepts(bytes.slice(0, 39)), false, 'cut short');
  t.equal(accepts(bytes.slice(0, 19)), false, 'less than a header');
  t.equal(accepts(bytes.slice(0, 0)), false, 'nothing');
});

t.test('an illegal option does not make a segment worthless', async (t) => {
  const { bytes } = kernelSegment('syn');
  bytes[25] = 0;
  repair(bytes, 0);
  const header = new TcpHeader();
  t.equal(parseTcp(viewOf(bytes), 0, bytes.length, 0, header), true);
  t.match(header.options, { hasMss: true, mss: 1460, sackPermitted: false, hasTimestamps: false });
});

t.test('a window of more than 16 bits is a defect of the caller', async (t) => {
  const header = new TcpHeader();
  header.SEG_WND = 65536;
  t.throws(() => emitTcp(viewOf(new Uint8Array(20)), 0, header, 0, 0), InvariantError);
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const header = new TcpHeader();
  const segments = SEGMENTS.map((name) => kernelSegment(name).bytes);
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(random, segments[round % segments.length]!);
    const pseudo = random.u32();
    if (bytes.length >= 20 && random.chance(0.8)) repair(bytes, pseudo);
    const found = readInBounds(random, bytes, (view, offset, length) => {
      if (!parseTcp(view, offset, length, pseudo, header)) return '';
      header.payloadOffset -= offset;
      return JSON.stringify(header);
    });
    if (found === '') continue;
    accepted++;
    if (header.payloadOffset + header.payloadLength !== bytes.length) t.fail(found);
  }
  t.ok(accepted > 10_000, 'many of them were segments');
});

/** Puts the right checksum into a segment that has been changed. */
function repair(bytes: Uint8Array, pseudo: number): void {
  const view = viewOf(bytes);
  view.setUint16(16, 0);
  view.setUint16(16, finishChecksum(onesComplementSum(view, 0, bytes.length, pseudo)));
}
