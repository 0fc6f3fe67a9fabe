import t from 'tap';
import { IpAddress } from '../../tcp/address.ts';
import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { emitIpv4, Ipv4Header, parseIpv4, parseQuotedIpv4 } from '../../tcp/wire/ipv4.ts';
import { mutate, readInBounds } from './hostile.ts';
import { KERNEL_PACKETS, type KernelPacket, kernelPacket, viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

const names = Object.keys(KERNEL_PACKETS) as KernelPacket[];

/** Puts the right checksum into a header that has been changed. */
function repair(bytes: Uint8Array): void {
  const headerLength = ((bytes[0] ?? 0) & 15) << 2;
  if (headerLength < 20 || bytes.length < headerLength) return;
  const view = viewOf(bytes);
  view.setUint16(10, 0);
  view.setUint16(10, finishChecksum(onesComplementSum(view, 0, headerLength)));
}

t.test("the kernel's headers are read, and written as the kernel did", async (t) => {
  const header = new Ipv4Header();
  for (const name of names) {
    const packet = kernelPacket(name);
    t.equal(parseIpv4(viewOf(packet), 0, packet.length, header), true, name);
    t.equal(header.totalLength, packet.length);
    const again = packet.slice().fill(0xee, 0, 20);
    t.equal(emitIpv4(viewOf(again), 0, header), 20);
    t.same(again, packet);
  }
});

t.test('every field of the header of a SYN', async (t) => {
  const header = new Ipv4Header();
  parseIpv4(viewOf(kernelPacket('syn')), 0, 60, header);
  t.match(header, {
    headerLength: 20,
    typeOfService: 0,
    identification: 63633,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    isFragment: false,
    timeToLive: 64,
    protocol: 6,
    source: IpAddress.fromIpv4(0x0a070001),
    destination: IpAddress.fromIpv4(0x0a070002),
  });
});

t.test('any header is read as it was written', async (t) => {
  const written = new Ipv4Header();
  const read = new Ipv4Header();
  for (let round = 0; round < 5000; round++) {
    written.typeOfService = random.below(256);
    written.totalLength = random.between(20, 65535);
    written.identification = random.below(65536);
    written.dontFragment = random.chance(0.5);
    written.moreFragments = random.chance(0.5);
    written.fragmentOffset = 8 * random.below(8192);
    written.timeToLive = random.below(256);
    written.protocol = random.below(256);
    written.source = IpAddress.fromIpv4(random.u32());
    written.destination = IpAddress.fromIpv4(random.u32());
    const bytes = random.bytes(20);
    emitIpv4(viewOf(bytes), 0, written);
    if (!parseIpv4(viewOf(bytes), 0, written.totalLength, read)) t.fail(`round ${round}: refused`);
    if (JSON.stringify(read) !== JSON.stringify(written)) t.same(read, written);
    const fragment = written.moreFragments || written.fragmentOffset > 0;
    if (read.isFragment !== fragment) t.fail(`round ${round}: fragment`);
  }
  t.pass('in every round');
});

t.test('what contradicts itself is refused', async (t) => {
  const header = new Ipv4Header();
  const refuses = (why: string, change: (bytes: Uint8Array) => Uint8Array) => {
    const changed = change(kernelPacket('data'));
    repair(changed);
    t.equal(parseIpv4(viewOf(changed), 0, changed.length, header), false, why);
  };
  refuses('another version', (bytes) => bytes.fill(0x65, 0, 1));
  refuses('a header shorter than 20', (bytes) => bytes.fill(0x44, 0, 1));
  refuses('a header longer than the packet', (bytes) => {
    bytes[0] = 0x4f;
    bytes[3] = 40;
    return bytes.subarray(0, 40);
  });
  refuses('a total length shorter than the header', (bytes) => bytes.fill(19, 3, 4));
  refuses('a total length beyond what came', (bytes) => bytes.subarray(0, 64));
  refuses('less than a header', (bytes) => bytes.subarray(0, 19));
  refuses('nothing', (bytes) => bytes.subarray(0, 0));
});

t.test('one wrong bit anywhere in the header is noticed', async (t) => {
  const header = new Ipv4Header();
  for (let bit = 0; bit < 160; bit++) {
    const packet = kernelPacket('syn');
    packet[bit >> 3]! ^= 0x80 >> (bit & 7);
    t.equal(parseIpv4(viewOf(packet), 0, packet.length, header), false, `bit ${bit}`);
  }
});

t.test('options are skipped, and padding behind the packet ignored', async (t) => {
  const header = new Ipv4Header();
  const packet = kernelPacket('udp');
  const bytes = new Uint8Array(packet.length + 8 + 6);
  bytes.set(packet.subarray(0, 20));
  bytes.fill(1, 20, 28);
  bytes.set(packet.subarray(20), 28);
  bytes[0] = 0x47;
  bytes[3] = packet.length + 8;
  repair(bytes);
  t.equal(parseIpv4(viewOf(bytes), 0, bytes.length, header), true);
  t.equal(header.headerLength, 28);
  t.equal(header.totalLength, packet.length + 8);
});

t.test('a quoted header may be cut short behind, and changed on its way', async (t) => {
  const header = new Ipv4Header();
  const packet = kernelPacket('data').subarray(0, 28);
  packet[8] = 1;
  t.equal(parseIpv4(viewOf(packet), 0, packet.length, header), false);
  t.equal(parseQuotedIpv4(viewOf(packet), 0, packet.length, header), true);
  t.equal(header.totalLength, 65);
  t.equal(parseQuotedIpv4(viewOf(packet), 0, 19, header), false);
});

t.test('no bytes make it throw or look beyond them', async (t) => {
  const header = new Ipv4Header();
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(random, kernelPacket(names[round % names.length]!));
    if (random.chance(0.8)) repair(bytes);
    for (const parse of [parseIpv4, parseQuotedIpv4]) {
      const found = readInBounds(random, bytes, (view, offset, length) =>
        parse(view, offset, length, header) ? JSON.stringify(header) : '',
      );
      if (found === '') continue;
      accepted++;
      if (header.headerLength > bytes.length) t.fail(`${found} in ${bytes.length}`);
      if (parse === parseIpv4 && header.totalLength > bytes.length) t.fail(found);
    }
  }
  t.ok(accepted > 10_000, 'many of them were packets');
});
