import t from 'tap';
import { parseAddress } from '../../tcp/address.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { emitIcmp, IcmpMessage, parseIcmp } from '../../tcp/wire/icmp.ts';
import {
  ICMPV6,
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_PARAMETER_PROBLEM,
  PROTOCOL_ICMPV6,
} from '../../tcp/wire/icmpv6.ts';
import { ACK, RST, SYN } from '../../tcp/wire/tcp.ts';
import { packet, segment } from './forge.ts';
import { kernelPacketIpv6 } from './kernel-packets-ipv6.ts';
import { pattern } from './transfer.ts';
import { ADDRESS, ADDRESS6, arriveAtB, ipIn, segmentIn, WirePair } from './wire-pair.ts';

const UDP = 17;

function icmpIn(bytes: Uint8Array): IcmpMessage {
  const message = new IcmpMessage();
  const { source, destination, at } = ipIn(bytes);
  const length = bytes.length - at;
  const sum = ICMPV6.pseudoHeaderSum(source, destination, length);
  const view = new DataView(bytes.buffer);
  if (!parseIcmp(view, at, length, sum, message)) throw new Error('no ICMPv6 message');
  return message;
}

/** An ICMPv6 message to B. */
function icmp(
  type: number,
  code: number,
  parameter: number,
  payload: Uint8Array,
  from: string = ADDRESS6.a,
): Uint8Array {
  const length = 8 + payload.length;
  const bytes = new Uint8Array(length);
  const sum = ICMPV6.pseudoHeaderSum(parseAddress(from)!, parseAddress(ADDRESS6.b)!, length);
  const view = new DataView(bytes.buffer);
  emitIcmp(bytes, view, 0, type, code, parameter, payload, 0, payload.length, sum);
  return packet(from, ADDRESS6.b, PROTOCOL_ICMPV6, bytes);
}

t.test('a connection over IPv6, with the MSS of its longer header', async (t) => {
  const wire = new WirePair(1);
  const { a, b } = wire.establish(80, ADDRESS6.b);
  t.same(a.remote, { address: ADDRESS6.b, port: 80 });
  t.equal(b.remote?.address, ADDRESS6.a);
  t.equal(b.local?.address, ADDRESS6.b);
  t.equal(segmentIn(wire.sent[0]!).header.options.mss, 1440, 'RFC 9293 section 3.7.1: MTU less 60');
  const text = pattern(200_000, 1);
  let sent = 0;
  const heard: Buffer[] = [];
  wire.until(() => {
    sent += wire.a.send(a, text.subarray(sent));
    heard.push(Buffer.from(wire.b.receive(b)));
    return heard.reduce((sum, { length }) => sum + length, 0) === text.length;
  }, 'everything has arrived');
  t.equal(Buffer.compare(Buffer.concat(heard), text), 0);
  t.equal(Math.max(...wire.sent.map(({ bytes }) => bytes.length)), 1500);
});

t.test('a peer that says nothing of its MSS gets 1220 (RFC 9293 section 3.7.1)', async (t) => {
  const wire = new WirePair(2);
  wire.b.listen(80);
  const peer = { address: ADDRESS6.a, port: 999 };
  const to = { address: ADDRESS6.b, port: 80 };
  arriveAtB(wire, segment(peer, to, { SEG_SEQ: 1, flags: SYN }));
  t.equal([...wire.b.stack.pcbs.values()].at(-1)!.SND_MSS, 1220);
});

t.test('lost, overtaken and doubled packets, and restarts, over IPv6', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const wire = new WirePair(seed);
    wire.keeps = false;
    wire.weather = { loss: 50, duplication: 20, jitter: 15 };
    const { a, b } = wire.establish(80, ADDRESS6.b);
    const text = pattern(30_000, seed);
    let sent = 0;
    let steps = 0;
    const heard: Buffer[] = [];
    wire.until(() => {
      if (++steps === 20) wire.a.restart(100);
      if (++steps === 40) wire.b.restart(100);
      sent += wire.a.send(wire.a.pcb(a.ID), text.subarray(sent));
      wire.a.turn();
      heard.push(Buffer.from(wire.b.receive(wire.b.pcb(b.ID))));
      wire.b.turn();
      return heard.reduce((sum, { length }) => sum + length, 0) === text.length;
    }, `everything has arrived with seed ${seed}`);
    if (Buffer.compare(Buffer.concat(heard), text) !== 0) t.fail(`bytes differ with seed ${seed}`);
  }
  t.pass('with every seed');
});

/** A listener of `wire.b` at `address`. */
function listenAt(wire: WirePair, address: string, V6ONLY = 0): Pcb {
  const listener = wire.b.stack.create();
  listener.V6ONLY = V6ONLY;
  wire.b.stack.bind(listener, { address, port: 80 });
  wire.b.stack.listen(listener, 5);
  return listener;
}

t.test('which versions a listener takes', async (t) => {
  for (const [address, V6ONLY, takes4, takes6] of [
    ['::', 0, true, true],
    ['::', 1, false, true],
    ['0.0.0.0', 0, true, false],
    [ADDRESS.b, 0, true, false],
    [ADDRESS6.b, 0, false, true],
  ] as const) {
    const wire = new WirePair(3);
    listenAt(wire, address, V6ONLY);
    const four = wire.a.connect(80, ADDRESS.b);
    const six = wire.a.connect(80, ADDRESS6.b);
    const isOver = (pcb: Pcb) => pcb.state === 'ESTABLISHED' || pcb.state === 'CLOSED';
    wire.until(() => isOver(four) && isOver(six), 'both are taken or refused');
    t.same([four.ERROR, six.ERROR], [takes4 ? 0 : 111, takes6 ? 0 : 111], `${address} ${V6ONLY}`);
  }
});

t.test('who may listen at one port beside whom', async (t) => {
  const sockets: [address: string, V6ONLY: number][] = [
    ['0.0.0.0', 0],
    [ADDRESS.b, 0],
    ['::', 0],
    ['::', 1],
    [ADDRESS6.b, 0],
  ];
  // As bind(2) of Linux has it without SO_REUSEADDR.
  const MAY: readonly (readonly number[])[] = [
    [0, 0, 0, 1, 1],
    [0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0],
    [1, 1, 0, 0, 0],
    [1, 1, 0, 0, 0],
  ];
  for (const [i, [one, oneV6ONLY]] of sockets.entries()) {
    for (const [j, [other, otherV6ONLY]] of sockets.entries()) {
      const wire = new WirePair(3);
      const first = listenAt(wire, one, oneV6ONLY);
      const what = `${one} ${oneV6ONLY}, then ${other} ${otherV6ONLY}`;
      if (MAY[i]![j] === 0) {
        t.throws(() => listenAt(wire, other, otherV6ONLY), { name: 'EADDRINUSE' }, what);
        wire.b.close(first);
        t.doesNotThrow(() => listenAt(wire, other, otherV6ONLY), `${what}, when it is free`);
        continue;
      }
      const second = listenAt(wire, other, otherV6ONLY);
      const [four, six] = i < 2 ? [first, second] : [second, first];
      wire.a.connect(80, ADDRESS.b);
      wire.a.connect(80, ADDRESS6.b);
      wire.until(
        () => wire.b.stack.acceptable(four) && wire.b.stack.acceptable(six),
        `each gets its own: ${what}`,
      );
      t.equal(wire.b.stack.accept(four)?.remote?.address, ADDRESS.a, what);
      t.equal(wire.b.stack.accept(six)?.remote?.address, ADDRESS6.a, what);
      // Which socket is whose is known after a restart too, and so when one of them is gone.
      wire.b.restart();
      wire.b.close(wire.b.stack.pcbs.get(four.ID)!);
      wire.a.connect(80, ADDRESS6.b);
      const left = wire.b.stack.pcbs.get(six.ID)!;
      wire.until(() => wire.b.stack.acceptable(left), 'the other listens on');
    }
  }
});

t.test('which addresses can be had', async (t) => {
  const wire = new WirePair(5);
  const { stack } = wire.b;
  t.throws(() => stack.bind(stack.create(), { address: 'fd00:7::9', port: 80 }), {
    name: 'EADDRNOTAVAIL',
  });
  for (const address of ['::', '::1', 'ff02::1']) {
    t.throws(() => wire.b.connect(80, address), { name: 'ENETUNREACH' }, address);
  }
  const bound = stack.create();
  stack.bind(bound, { address: ADDRESS6.b, port: 80 });
  t.throws(() => stack.connect(bound, { address: ADDRESS.a, port: 1 }, wire.now), {
    name: 'EAFNOSUPPORT',
  });
  const without = new WirePair(6, { a: { address6: undefined as never } });
  t.throws(() => without.a.connect(80, ADDRESS6.b), { name: 'ENETUNREACH' });
  const syn = segment(
    { address: ADDRESS6.b, port: 1 },
    { address: ADDRESS6.a, port: 2 },
    {
      SEG_SEQ: 1,
      flags: SYN,
    },
  );
  without.a.stack.arrive(syn, 0, syn.length, without.now);
  without.a.turn();
  t.same(without.sent, [], 'without an IPv6 address there is no IPv6');
});

t.test('to the own address', async (t) => {
  const wire = new WirePair(7);
  const listener = wire.b.listen(80);
  const one = wire.b.connect(80, ADDRESS6.b);
  wire.until(() => one.state === 'ESTABLISHED', 'it is its own peer');
  const two = wire.b.stack.accept(listener)!;
  wire.b.send(one, pattern(100, 1));
  wire.until(() => two.readable === 100, 'the bytes have arrived');
  t.equal(Buffer.compare(wire.b.receive(two), pattern(100, 1)), 0);
  t.same(wire.sent, []);
});

t.test('a segment of no connection is reset', async (t) => {
  const wire = new WirePair(8);
  const from = { address: ADDRESS6.a, port: 1 };
  const to = { address: ADDRESS6.b, port: 2 };
  const [reset] = arriveAtB(wire, segment(from, to, { SEG_SEQ: 7, flags: SYN }));
  const { header } = segmentIn({ from: 'b', bytes: reset!, at: 0 });
  t.match(header, { flags: RST | ACK, SEG_ACK: 8, destinationPort: 1 });
  const bad = segment(from, to, { SEG_SEQ: 7, flags: SYN });
  bad[23]! ^= 1;
  t.same(arriveAtB(wire, bad), [], 'unless its checksum is wrong');
});

t.test('an echo is answered as the kernel answers it', async (t) => {
  const wire = new WirePair(9);
  const [reply] = arriveAtB(wire, kernelPacketIpv6('echo'));
  const kernels = kernelPacketIpv6('echoReply');
  t.equal(icmpIn(reply!).type, ICMPV6.echoReply);
  t.same(reply!.subarray(4), kernels.subarray(4), 'all but the flow label');
});

t.test("unreachable ports and unknown headers, in the kernel's words", async (t) => {
  const wire = new WirePair(10);
  for (const [asked, answered] of [
    ['udp', 'portUnreachable'],
    ['experiment', 'parameterProblem'],
  ] as const) {
    const [answer] = arriveAtB(wire, kernelPacketIpv6(asked));
    t.same(answer!.subarray(4), kernelPacketIpv6(answered).subarray(4), asked);
  }
  let answers = 0;
  for (let i = 0; i < 1000; i++) answers += arriveAtB(wire, kernelPacketIpv6('experiment')).length;
  t.ok(answers < 200, `${answers} answers at once`);
});

t.test('an option that must not be ignored (RFC 8200 section 4.2)', async (t) => {
  const wire = new WirePair(11);
  const bytes = kernelPacketIpv6('destinationOptions');
  bytes[42] = 0x9e;
  const [answer] = arriveAtB(wire, bytes);
  t.match(icmpIn(answer!), { type: ICMPV6_PARAMETER_PROBLEM, code: 2, parameter: 42 });
});

t.test('what is not for us, or from nobody, is left alone', async (t) => {
  const wire = new WirePair(12);
  for (const [from, to] of [
    [ADDRESS6.a, 'fd00:7::3'],
    [ADDRESS6.a, 'ff02::1'],
    ['ff02::1', ADDRESS6.b],
    ['::', ADDRESS6.b],
    ['::1', ADDRESS6.b],
  ] as const) {
    const bytes = packet(from, to, UDP, new Uint8Array(8));
    t.same(arriveAtB(wire, bytes), [], `${from} to ${to}`);
  }
  const mapped = packet(ADDRESS6.a, ADDRESS6.b, UDP, new Uint8Array(8));
  mapped.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 7, 0, 1], 8);
  t.same(arriveAtB(wire, mapped), [], 'from an IPv4-mapped address');
});

t.test('errors: what ends an attempt, and which are not believed', async (t) => {
  const type = ICMPV6_DESTINATION_UNREACHABLE;
  for (const [code, ERROR] of [
    [0, 101],
    [1, 13],
    [3, 113],
    [4, 111],
  ] as const) {
    const wire = new WirePair(13);
    wire.filter = () => false;
    const b = wire.b.connect(80, ADDRESS6.a);
    wire.b.turn();
    const syn = wire.sent[0]!.bytes;
    const other = syn.slice();
    other[47]! ^= 1;
    arriveAtB(wire, icmp(type, code, 0, other));
    arriveAtB(wire, icmp(type, code, 0, syn.subarray(0, 47)));
    t.equal(b.state, 'SYN-SENT');
    arriveAtB(wire, icmp(type, code, 0, syn.subarray(0, 48), 'fd00:7::fe'));
    t.match(b, { state: 'CLOSED', ERROR }, `code ${code}`);
  }
});

t.test('an echo to a wrong sum, or cut short, gets no answer', async (t) => {
  const wire = new WirePair(14);
  const echo = icmp(ICMPV6.echoRequest, 0, 0x10001, pattern(9, 1));
  t.equal(arriveAtB(wire, echo).length, 1);
  for (let length = 0; length < echo.length; length++) {
    t.same(arriveAtB(wire, echo.slice(0, length)), []);
  }
});
