import t from 'tap';
import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { emitIcmp, IcmpMessage, type IcmpVersion, parseIcmp } from '../../tcp/wire/icmp.ts';
import { ICMPV4 } from '../../tcp/wire/icmpv4.ts';
import { ICMPV6 } from '../../tcp/wire/icmpv6.ts';
import { mutate, readInBounds } from './hostile.ts';
import { kernelPacket, viewOf } from './kernel-packets.ts';
import { kernelPacketIpv6 } from './kernel-packets-ipv6.ts';
import { Random } from './random.ts';
import { ipIn } from './wire-pair.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

interface Sample {
  name: string;
  icmp: IcmpVersion;
  bytes: Uint8Array;
  sum: number;
}

function sample(name: string, icmp: IcmpVersion, packet: Uint8Array): Sample {
  const { source, destination, at } = ipIn(packet);
  const bytes = packet.slice(at);
  return { name, icmp, bytes, sum: icmp.pseudoHeaderSum(source, destination, bytes.length) };
}

/** The kernel's. */
const SAMPLES = [
  ...(['echo', 'echoReply', 'portUnreachable'] as const).map((name) =>
    sample(`${name} of ICMPv4`, ICMPV4, kernelPacket(name)),
  ),
  ...(['echo', 'echoReply', 'portUnreachable', 'parameterProblem'] as const).map((name) =>
    sample(`${name} of ICMPv6`, ICMPV6, kernelPacketIpv6(name)),
  ),
];

function parsed({ name, bytes, sum }: Sample): IcmpMessage {
  const message = new IcmpMessage();
  t.equal(parseIcmp(viewOf(bytes), 0, bytes.length, sum, message), true, name);
  return message;
}

function sampleOf(name: string): Sample {
  return SAMPLES.find((sample) => sample.name === name)!;
}

t.test("the kernel's messages are read", async (t) => {
  for (const [version, icmp] of [
    ['ICMPv4', ICMPV4],
    ['ICMPv6', ICMPV6],
  ] as const) {
    t.match(parsed(sampleOf(`echo of ${version}`)), {
      type: icmp.echoRequest,
      code: 0,
      parameter: 0x1234_0007,
      payloadOffset: 8,
      payloadLength: 'odd length!'.length,
    });
    t.match(parsed(sampleOf(`echoReply of ${version}`)), { type: icmp.echoReply });
    const { destinationUnreachable: type, portUnreachable: code } = icmp;
    t.match(parsed(sampleOf(`portUnreachable of ${version}`)), { type, code });
    t.ok(icmp.isError(type) && icmp.isError(icmp.timeExceeded));
    t.notOk(icmp.isError(icmp.echoRequest) || icmp.isError(icmp.echoReply));
  }
  t.match(parsed(sampleOf('parameterProblem of ICMPv6')), { type: 4, code: 1, parameter: 6 });
});

t.test('they are written as the kernel did', async (t) => {
  for (const one of SAMPLES) {
    const { type, code, parameter, payloadLength } = parsed(one);
    const again = random.bytes(one.bytes.length + 13);
    const view = viewOf(again);
    const { bytes, sum } = one;
    emitIcmp(again, view, 13, type, code, parameter, bytes, 8, payloadLength, sum);
    t.same(again.subarray(13), bytes, one.name);
  }
});

t.test('a wrong bit or a cut is noticed, over IPv6 also in the addresses', async (t) => {
  const message = new IcmpMessage();
  for (const { bytes, sum } of SAMPLES) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 0x80 >> (bit & 7);
      if (parseIcmp(viewOf(changed), 0, changed.length, sum, message)) t.fail(`bit ${bit}`);
    }
    t.equal(parseIcmp(viewOf(bytes), 0, bytes.length, sum + 1, message), false);
  }
  for (let length = 0; length < 8; length++) {
    t.equal(parseIcmp(viewOf(new Uint8Array(length).fill(255)), 0, length, 0, message), false);
  }
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const message = new IcmpMessage();
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const { bytes, sum } = SAMPLES[round % SAMPLES.length]!;
    const mutant = mutate(random, bytes);
    if (mutant.length >= 4 && random.chance(0.8)) {
      const view = viewOf(mutant);
      view.setUint16(2, 0);
      view.setUint16(2, finishChecksum(onesComplementSum(view, 0, mutant.length, sum)));
    }
    const found = readInBounds(random, mutant, (view, offset, length) => {
      if (!parseIcmp(view, offset, length, sum, message)) return '';
      message.payloadOffset -= offset;
      return JSON.stringify(message);
    });
    if (found === '') continue;
    accepted++;
    if (message.payloadOffset !== 8 || message.payloadLength !== mutant.length - 8) t.fail(found);
  }
  t.ok(accepted > 10_000, 'many of them were messages');
});
