import t from 'tap';
import {
  emitTcpOptions,
  MAX_TCP_OPTIONS_LENGTH,
  parseTcpOptions,
  TcpOptions,
  tcpOptionsLength,
} from '../../tcp/wire/tcp-options.ts';
import { readInBounds } from './hostile.ts';
import { viewOf } from './kernel-packets.ts';
import { Random } from './random.ts';

const random = new Random();
t.comment(`SEED=${random.seed}`);

/** What is present, and nothing else. */
function described(options: TcpOptions): Record<string, unknown> {
  return {
    ...(options.hasMss && { mss: options.mss }),
    ...(options.hasWindowScale && { windowScale: options.windowScale }),
    ...(options.sackPermitted && { sackPermitted: true }),
    ...(options.hasTimestamps && { timestamps: [options.timestampValue, options.timestampEcho] }),
    ...(options.hasUserTimeout && { userTimeout: options.userTimeout }),
    ...(options.sackCount > 0 && {
      sack: [...options.sackEdges.subarray(0, 2 * options.sackCount)],
    }),
  };
}

function read(...bytes: number[]): { legal: boolean; found: Record<string, unknown> } {
  const options = new TcpOptions();
  const legal = parseTcpOptions(viewOf(Uint8Array.from(bytes)), 0, bytes.length, options);
  return { legal, found: described(options) };
}

function randomOptions(into: TcpOptions): void {
  into.clear();
  into.hasMss = random.chance(0.5);
  into.mss = random.below(65536);
  into.hasWindowScale = random.chance(0.5);
  into.windowScale = random.below(15);
  into.sackPermitted = random.chance(0.5);
  into.hasTimestamps = random.chance(0.5);
  into.timestampValue = random.u32();
  into.timestampEcho = random.u32();
  into.hasUserTimeout = random.chance(0.5);
  // Beyond 32767 seconds minutes are told.
  into.userTimeout = random.chance(0.5)
    ? 1000 * (1 + random.below(32767))
    : 60_000 * (547 + random.below(32767 - 547));
  into.sackCount = random.below(5);
  for (let edge = 0; edge < 8; edge++) into.sackEdges[edge] = random.u32();
}

t.test('options may begin at any byte (RFC 9293 section 3.1, MUST-64)', async (t) => {
  t.same(read(1, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 0), {
    legal: true,
    found: { mss: 1460, windowScale: 7, sackPermitted: true },
  });
});

t.test('what follows the end of the list is not read', async (t) => {
  t.same(read(0, 2, 4, 5, 0xb4), { legal: true, found: {} });
  t.same(read(1, 1, 0, 2, 0), { legal: true, found: {} });
});

t.test('unknown kinds are skipped by their length (MUST-6)', async (t) => {
  t.same(read(254, 4, 9, 9, 2, 4, 1, 0), { legal: true, found: { mss: 256 } });
  t.same(read(34, 2, 2, 4, 1, 0), { legal: true, found: { mss: 256 } });
});

t.test('an illegal length ends them (MUST-7); what stood before holds', async (t) => {
  const mss = { mss: 256 };
  t.same(read(2, 4, 1, 0, 254, 0), { legal: false, found: mss }, 'length 0');
  t.same(read(2, 4, 1, 0, 254, 1), { legal: false, found: mss }, 'length 1');
  t.same(read(2, 4, 1, 0, 3, 3), { legal: false, found: mss }, 'past the end');
  t.same(read(2, 4, 1, 0, 8), { legal: false, found: mss }, 'no length at all');
});

t.test('a known kind of a wrong length is skipped', async (t) => {
  t.same(read(2, 3, 9, 4, 2), { legal: true, found: { sackPermitted: true } });
  t.same(read(3, 4, 9, 9, 4, 2), { legal: true, found: { sackPermitted: true } });
  t.same(read(5, 9, 0, 0, 0, 0, 0, 0, 0, 4, 2), { legal: true, found: { sackPermitted: true } });
  t.same(read(5, 2, 8, 3, 0), { legal: true, found: {} });
  t.same(read(4, 3, 9, 2, 4, 1, 0), { legal: true, found: { mss: 256 } });
});

t.test('a shift beyond 14 counts as 14 (RFC 7323 section 2.3)', async (t) => {
  t.same(read(3, 3, 14).found, { windowScale: 14 });
  t.same(read(3, 3, 15).found, { windowScale: 14 });
  t.same(read(3, 3, 255).found, { windowScale: 14 });
});

t.test('nothing of an earlier segment is left', async (t) => {
  const options = new TcpOptions();
  randomOptions(options);
  parseTcpOptions(viewOf(new Uint8Array(0)), 0, 0, options);
  t.same(described(options), {});
});

t.test('any options are read as they were written, of SACK blocks as many as fit', async (t) => {
  const written = new TcpOptions();
  const again = new TcpOptions();
  for (let round = 0; round < 20_000; round++) {
    randomOptions(written);
    const bytes = random.bytes(60);
    const length = emitTcpOptions(viewOf(bytes), 3, written);
    if (length !== tcpOptionsLength(written)) t.fail(`round ${round}: length ${length}`);
    if (length % 4 !== 0 || length > MAX_TCP_OPTIONS_LENGTH) t.fail(`round ${round}: ${length}`);
    if (!parseTcpOptions(viewOf(bytes), 3, length, again)) t.fail(`round ${round}: illegal`);
    if (again.sackCount < written.sackCount && length + 8 <= MAX_TCP_OPTIONS_LENGTH) {
      t.fail(`round ${round}: ${again.sackCount} blocks in ${length}`);
    }
    if (again.sackCount > written.sackCount) t.fail(`round ${round}: ${again.sackCount} blocks`);
    written.sackCount = again.sackCount;
    const [expected, found] = [described(written), described(again)].map((o) => JSON.stringify(o));
    if (found !== expected) t.equal(found, expected, `round ${round}`);
  }
  t.pass('in every round');
});

t.test(
  'beside timestamps there is room for 3 SACK blocks, alone for 4 (RFC 2018 section 3)',
  async (t) => {
    const options = new TcpOptions();
    options.sackCount = 4;
    t.equal(tcpOptionsLength(options), 4 + 4 * 8);
    options.hasTimestamps = true;
    t.equal(tcpOptionsLength(options), 12 + 4 + 3 * 8);
  },
);

t.test('padding stands before each option, as Linux has it', async (t) => {
  const options = new TcpOptions();
  options.hasMss = true;
  options.mss = 1460;
  options.sackPermitted = true;
  options.hasWindowScale = true;
  options.windowScale = 7;
  const written = () => {
    const bytes = new Uint8Array(MAX_TCP_OPTIONS_LENGTH);
    return Buffer.from(bytes.subarray(0, emitTcpOptions(viewOf(bytes), 0, options))).toString(
      'hex',
    );
  };
  t.equal(written(), '020405b4' + '01010402' + '01030307');
  options.hasTimestamps = true;
  options.timestampValue = 1;
  options.timestampEcho = 2;
  t.equal(written(), '020405b4' + '0402080a0000000100000002' + '01030307');
});

t.test('no bytes make it throw, hang or look beyond them', async (t) => {
  const options = new TcpOptions();
  const kinds = [0, 1, 2, 3, 4, 5, 8, 28, 254];
  let legal = 0;
  for (let round = 0; round < 150_000; round++) {
    const bytes = random.bytes(random.below(41));
    if (random.chance(0.8)) {
      for (let at = 0; at < bytes.length; at += random.between(1, 10)) {
        bytes[at] = kinds[random.below(kinds.length)]!;
        if (at + 1 < bytes.length) bytes[at + 1] = random.below(12);
      }
    }
    readInBounds(random, bytes, (view, offset, length) => {
      const wasLegal = parseTcpOptions(view, offset, length, options);
      if (wasLegal) legal++;
      return JSON.stringify([wasLegal, described(options)]);
    });
    if (options.sackCount > 4 || options.windowScale > 14) t.fail(`round ${round}`);
  }
  t.ok(legal > 10_000, 'many of them were legal');
});

t.test('a user timeout is told in seconds, or else in minutes, and rounded up', async (t) => {
  const told = (milliseconds: number) => {
    const options = new TcpOptions();
    options.hasUserTimeout = true;
    options.userTimeout = milliseconds;
    const bytes = new Uint8Array(MAX_TCP_OPTIONS_LENGTH);
    const length = emitTcpOptions(viewOf(bytes), 0, options);
    return Buffer.from(bytes.subarray(0, length)).toString('hex');
  };
  t.equal(told(1), '1c040001');
  t.equal(told(30_000), '1c04001e');
  t.equal(told(32_767_000), '1c047fff');
  t.equal(told(32_767_001), '1c048223');
  t.equal(told(4_000_000_000), '1c04ffff', 'no more than the field holds');
  t.same(read(0x1c, 4, 0x80, 2), { legal: true, found: { userTimeout: 120_000 } });
  t.same(read(0x1c, 4, 0x80, 0), { legal: true, found: {} }, 'zero is nothing');
});
