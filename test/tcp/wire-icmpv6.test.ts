import t from 'tap';
import { ipv6PseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import {
  emitIcmpv6,
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  Icmpv6Message,
  PROTOCOL_ICMPV6,
  parseIcmpv6,
} from '../../tcp/wire/icmpv6.ts';
import { Ipv6Header, parseIpv6 } from '../../tcp/wire/ipv6.ts';
import { mutate, readInBounds } from './hostile.ts';
import { viewOf } from './kernel-packets.ts';
import { type KernelPacketIpv6, kernelPacketIpv6 } from './kernel-packets-ipv6.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const NAMES = ['echo', 'echoReply', 'portUnreachable', 'parameterProblem'] as const;

/** The message in one of the kernel's packets, and the sum before it. */
function messageIn(name: KernelPacketIpv6): { bytes: Uint8Array; sum: number } {
  const packet = kernelPacketIpv6(name);
  const ip = new Ipv6Header();
  parseIpv6(viewOf(packet), 0, packet.length, ip);
  const bytes = packet.slice(40);
  return { bytes, sum: ipv6PseudoHeaderSum(ip.source, ip.destination, ip.protocol, bytes.length) };
}

function parse(name: KernelPacketIpv6): Icmpv6Message {
  const { bytes, sum } = messageIn(name);
  const message = new Icmpv6Message();
  t.equal(parseIcmpv6(viewOf(bytes), 0, bytes.length, sum, message), true, name);
  return message;
}

t.test("the kernel's messages are read", async (t) => {
  t.match(parse('echo'), {
    type: ICMPV6_ECHO_REQUEST,
    code: 0,
    identifier: 0x1234,
    sequenceNumber: 7,
    payloadOffset: 8,
    payloadLength: 11,
    isError: false,
  });
  t.match(parse('echoReply'), { type: ICMPV6_ECHO_REPLY, isError: false });
  const type = ICMPV6_DESTINATION_UNREACHABLE;
  t.match(parse('portUnreachable'), { type, code: ICMPV6_PORT_UNREACHABLE, isError: true });
  const problem = { type: ICMPV6_PARAMETER_PROBLEM, code: 1, parameter: 6, isError: true };
  t.match(parse('parameterProblem'), problem);
});

t.test('they are written as the kernel did', async (t) => {
  for (const name of NAMES) {
    const { bytes, sum } = messageIn(name);
    const message = new Icmpv6Message();
    parseIcmpv6(viewOf(bytes), 0, bytes.length, sum, message);
    const again = random.bytes(bytes.length);
    const { type, code, parameter, payloadLength } = message;
    emitIcmpv6(again, viewOf(again), 0, type, code, parameter, bytes, 8, payloadLength, sum);
    t.same(again, bytes, name);
  }
  t.equal(PROTOCOL_ICMPV6, 58);
});

t.test('one wrong bit anywhere is noticed, also in the addresses', async (t) => {
  const message = new Icmpv6Message();
  const { bytes, sum } = messageIn('echo');
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 0x80 >> (bit & 7);
    if (parseIcmpv6(viewOf(changed), 0, changed.length, sum, message)) t.fail(`bit ${bit}`);
  }
  t.equal(parseIcmpv6(viewOf(bytes), 0, bytes.length, sum + 1, message), false);
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const message = new Icmpv6Message();
  let accepted = 0;
  for (let round = 0; round < 50_000; round++) {
    const { bytes, sum } = messageIn(NAMES[round % NAMES.length]!);
    const mutant = mutate(random, bytes);
    const found = readInBounds(random, mutant, (view, offset, length) => {
      if (!parseIcmpv6(view, offset, length, sum, message)) return '';
      message.payloadOffset -= offset;
      return JSON.stringify(message);
    });
    if (found === '') continue;
    accepted++;
    if (message.payloadLength !== mutant.length - 8) t.fail(found);
  }
  t.ok(accepted > 1000, 'some were messages');
});
