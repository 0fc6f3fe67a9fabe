import t from 'tap';
import { finishChecksum, ipv4PseudoHeaderSum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { kernelPacket, viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

/** RFC 1071 section 1, read literally: 16-bit words, one at a time, with end-around carry. */
function checksumByTheBook(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

t.test('the example of RFC 1071 section 3', async (t) => {
  const view = viewOf(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7));
  t.equal(finishChecksum(onesComplementSum(view, 0, 8)), ~0xddf2 & 0xffff);
});

t.test(
  'any bytes at any place come out as by the book, and nothing around them is read',
  async (t) => {
    for (let round = 0; round < 3000; round++) {
      const length = random.below(random.chance(0.1) ? 3000 : 70);
      const bytes = random.chance(0.2) ? new Uint8Array(length).fill(255) : random.bytes(length);
      const offset = random.below(20);
      const around = random.bytes(offset + length + random.below(20));
      around.set(bytes, offset);
      const checksum = finishChecksum(onesComplementSum(viewOf(around), offset, length));
      if (checksum !== checksumByTheBook(bytes)) t.fail(`${length} bytes at ${offset}`);
      if (checksum !== finishChecksum(onesComplementSum(viewOf(bytes), 0, length)))
        t.fail('bounds');
    }
    t.pass('in every round');
  },
);

t.test('a sum may be made in parts of even length', async (t) => {
  for (let round = 0; round < 500; round++) {
    const bytes = random.bytes(random.between(1, 200));
    const cut = 2 * random.below((bytes.length >> 1) + 1);
    const first = onesComplementSum(viewOf(bytes), 0, cut);
    const whole = onesComplementSum(viewOf(bytes), cut, bytes.length - cut, first);
    if (finishChecksum(whole) !== checksumByTheBook(bytes)) t.fail(`cut at ${cut}`);
  }
  t.pass('in every round');
});

t.test('the largest packet of the largest bytes loses no carry', async (t) => {
  const bytes = new Uint8Array(65536).fill(255);
  const sum = onesComplementSum(viewOf(bytes), 0, bytes.length, 0xffffffff);
  t.equal(finishChecksum(sum), 0);
  bytes[65535] = 254;
  t.equal(finishChecksum(onesComplementSum(viewOf(bytes), 0, bytes.length)), 1);
  t.equal(finishChecksum(0), 0xffff);
});

t.test('any sum a double holds exactly is folded right', async (t) => {
  for (let round = 0; round < 20_000; round++) {
    const near = random.chance(0.5) ? 2 ** 32 : 0xffff;
    const sum = random.chance(0.5)
      ? near * random.between(1, 2 ** 20) + random.between(-2, 2)
      : random.below(2 ** 21) * 2 ** 32 + random.u32();
    // Modulo 2**16 - 1, where only a sum of nothing at all is folded to 0 and not to 2**16 - 1.
    const folded = sum === 0 ? 0 : Number((BigInt(sum) - 1n) % 0xffffn) + 1;
    if (finishChecksum(sum) !== 0xffff - folded) t.fail(`${sum}`);
  }
  t.pass('in every round');
});

t.test('a received packet with its checksum in place sums up to 0', async (t) => {
  for (const name of ['syn', 'data', 'sack'] as const) {
    const view = viewOf(kernelPacket(name));
    const length = view.byteLength - 20;
    t.equal(finishChecksum(onesComplementSum(view, 0, 20)), 0, `${name}: IP header`);
    const pseudo = ipv4PseudoHeaderSum(view.getUint32(12), view.getUint32(16), 6, length);
    t.equal(finishChecksum(onesComplementSum(view, 20, length, pseudo)), 0, `${name}: segment`);
  }
});
