import t from 'tap';
import { parseAddress } from '../../tcp/address.ts';
import { emitUdp, parseUdp, UDP_HEADER_LENGTH, UdpHeader } from '../../tcp/wire/udp.ts';
import { mutate, readInBounds } from './hostile.ts';
import { viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';
import { readUdp, type Udp, writeUdp } from './udp-datagram.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const PAIRS = [
  ['10.7.0.1', '10.7.0.2'],
  ['fd00:7::1', 'fd00:7::2'],
] as const;

function parsed(
  bytes: Uint8Array,
  { source, destination }: Udp,
  isVouchedFor = false,
): UdpHeader | undefined {
  const header = new UdpHeader();
  const [from, to] = [parseAddress(source)!, parseAddress(destination)!];
  return parseUdp(viewOf(bytes), 0, bytes.length, from, to, isVouchedFor, header)
    ? header
    : undefined;
}

function example([source, destination]: (typeof PAIRS)[number], length: number): Udp {
  return {
    source,
    destination,
    sourcePort: 40000,
    destinationPort: 53,
    payload: random.bytes(length),
  };
}

for (const pair of PAIRS) {
  const [source, destination] = pair;

  t.test(`what RFC 768 has, between ${source} and ${destination}`, async (t) => {
    for (const length of [0, 1, 2, 7, 512, 1471]) {
      const udp = example(pair, length);
      t.match(parsed(writeUdp(udp), udp), {
        sourcePort: 40000,
        destinationPort: 53,
        payloadOffset: 8,
        payloadLength: length,
      });
      const bytes = new Uint8Array(UDP_HEADER_LENGTH + length);
      bytes.set(udp.payload, UDP_HEADER_LENGTH);
      const [from, to] = [parseAddress(source)!, parseAddress(destination)!];
      t.equal(emitUdp(viewOf(bytes), 0, from, 40000, to, 53, length), UDP_HEADER_LENGTH);
      t.same(readUdp(bytes, 0, source, destination), udp);
    }
  });

  t.test(`a checksum of 0 is sent as 0xffff, over ${source}`, async (t) => {
    const udp = example(pair, 100);
    // Any sum can be reached by two bytes of the payload.
    const before = viewOf(writeUdp({ ...udp, payload: udp.payload.fill(0, 0, 2) })).getUint16(6);
    viewOf(udp.payload).setUint16(0, before);
    const bytes = new Uint8Array(UDP_HEADER_LENGTH + 100);
    bytes.set(udp.payload, UDP_HEADER_LENGTH);
    const [from, to] = [parseAddress(source)!, parseAddress(destination)!];
    emitUdp(viewOf(bytes), 0, from, 40000, to, 53, 100);
    t.equal(viewOf(bytes).getUint16(6), 0xffff);
    t.ok(parsed(bytes, udp));
  });

  t.test(`what is broken is refused, over ${source}`, async (t) => {
    const udp = example(pair, 20);
    const good = writeUdp(udp);
    const changed = (change: (view: DataView) => void) => {
      const bytes = good.slice();
      change(viewOf(bytes));
      return bytes;
    };
    t.notOk(parsed(good.subarray(0, 7), udp), 'shorter than a header');
    t.notOk(parsed(good.subarray(0, 27), udp), 'shorter than it says');
    t.notOk(
      parsed(
        changed((view) => view.setUint16(4, 7)),
        udp,
      ),
      'a length without the header',
    );
    t.notOk(
      parsed(
        changed((view) => view.setUint8(9, view.getUint8(9) ^ 1)),
        udp,
      ),
      'another byte',
    );
    const longer = Uint8Array.from([...good, 1, 2, 3]);
    t.equal(parsed(longer, udp)?.payloadLength, 20, 'what is behind its length is none of it');
  });

  t.test(`whatever is changed, nothing is read beyond the end, over ${source}`, async (t) => {
    const udp = example(pair, 20);
    for (let i = 0; i < 2000; i++) {
      readInBounds(random, mutate(random, writeUdp(udp)), (view, offset, length) => {
        const [from, to] = [parseAddress(source)!, parseAddress(destination)!];
        const header = new UdpHeader();
        if (!parseUdp(view, offset, length, from, to, false, header)) return 'refused';
        return JSON.stringify({ ...header, payloadOffset: header.payloadOffset - offset });
      });
    }
    t.pass('it did not');
  });
}

t.test('no checksum is right in IPv4 and wrong in IPv6 (RFC 8200 section 8.1)', async (t) => {
  for (const pair of PAIRS) {
    const udp = example(pair, 20);
    const bytes = writeUdp(udp);
    viewOf(bytes).setUint16(6, 0);
    t.equal(parsed(bytes, udp) !== undefined, pair === PAIRS[0]);
    viewOf(bytes).setUint16(6, 1);
    t.notOk(parsed(bytes, udp));
    t.ok(parsed(bytes, udp, true), 'nobody looks at one that somebody vouches for');
  }
});
