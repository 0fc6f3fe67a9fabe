import t from 'tap';
import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import {
  emitDestinationUnreachable,
  emitEchoReply,
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_ECHO,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_PORT_UNREACHABLE,
  Icmpv4Message,
  parseIcmpv4,
} from '../../tcp/wire/icmpv4.ts';
import { mutate, readInBounds } from './hostile.ts';
import { kernelPacket, viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

t.test("the kernel's echo is read, and answered byte for byte as the kernel did", async (t) => {
  const packet = kernelPacket('echo');
  const echo = new Icmpv4Message();
  t.equal(parseIcmpv4(viewOf(packet), 20, packet.length - 20, echo), true);
  t.match(echo, {
    type: ICMP_ECHO,
    code: 0,
    identifier: 0x1234,
    sequenceNumber: 7,
    isError: false,
  });
  t.equal(echo.payloadOffset, 28);
  t.equal(echo.payloadLength, 'odd length!'.length);
  const expected = kernelPacket('echoReply').subarray(20);
  const reply = random.bytes(100);
  const length = emitEchoReply(reply, viewOf(reply), 13, packet, echo);
  t.equal(length, expected.length);
  t.same(reply.subarray(13, 13 + length), expected);
});

t.test("a destination unreachable is the kernel's, byte for byte", async (t) => {
  const datagram = kernelPacket('udp');
  const expected = kernelPacket('portUnreachable').subarray(20);
  const bytes = random.bytes(100);
  const { length } = datagram;
  const written = emitDestinationUnreachable(
    bytes,
    viewOf(bytes),
    5,
    ICMP_PORT_UNREACHABLE,
    0,
    datagram,
    0,
    length,
  );
  t.same(bytes.subarray(5, 5 + written), expected);
  const message = new Icmpv4Message();
  t.equal(parseIcmpv4(viewOf(expected.slice()), 0, expected.length, message), true);
  t.match(message, { type: ICMP_DESTINATION_UNREACHABLE, code: 3, isError: true });
  t.same(expected.subarray(message.payloadOffset), datagram, 'it quotes all of a short datagram');
});

t.test('a long datagram is quoted up to 576 bytes in all (RFC 1812 section 4.3.2.3)', async (t) => {
  const datagram = random.bytes(1500);
  const bytes = new Uint8Array(2000);
  const code = ICMP_FRAGMENTATION_NEEDED;
  const length = emitDestinationUnreachable(bytes, viewOf(bytes), 0, code, 1280, datagram, 0, 1500);
  t.equal(20 + length, 576);
  const message = new Icmpv4Message();
  t.equal(parseIcmpv4(viewOf(bytes), 0, length, message), true);
  t.equal(message.nextHopMtu, 1280);
  t.equal(message.payloadLength, length - 8);
});

t.test('a wrong bit or a cut is noticed', async (t) => {
  const message = new Icmpv4Message();
  const good = kernelPacket('echo').subarray(20);
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 0x80 >> (bit & 7);
    if (parseIcmpv4(viewOf(bytes), 0, bytes.length, message)) t.fail(`bit ${bit}`);
  }
  for (let length = 0; length < 8; length++) {
    t.equal(parseIcmpv4(viewOf(new Uint8Array(length).fill(255)), 0, length, message), false);
  }
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const message = new Icmpv4Message();
  const packets = (['echo', 'echoReply', 'portUnreachable'] as const).map((name) =>
    kernelPacket(name).subarray(20),
  );
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(random, packets[round % packets.length]!);
    if (bytes.length >= 4 && random.chance(0.8)) {
      const view = viewOf(bytes);
      view.setUint16(2, 0);
      view.setUint16(2, finishChecksum(onesComplementSum(view, 0, bytes.length)));
    }
    const found = readInBounds(random, bytes, (view, offset, length) => {
      if (!parseIcmpv4(view, offset, length, message)) return '';
      message.payloadOffset -= offset;
      return JSON.stringify(message);
    });
    if (found === '') continue;
    accepted++;
    if (message.payloadOffset + message.payloadLength !== bytes.length) t.fail(found);
    const reply = new Uint8Array(bytes.length);
    emitEchoReply(reply, viewOf(reply), 0, bytes, message);
    if (!parseIcmpv4(viewOf(reply), 0, reply.length, message)) t.fail(`reply to ${found}`);
  }
  t.ok(accepted > 10_000, 'many of them were messages');
});
