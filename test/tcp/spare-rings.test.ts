import t from 'tap';
import { spareRing, takeRing } from '../../tcp/spare-rings.ts';

const MIB = 1 << 20;

// Compared with ===, and not by tap, which would print the bytes of both.

t.test('a ring of a large window is used again', async (t) => {
  const ring = takeRing(8 * MIB);
  spareRing(ring);
  t.ok(takeRing(8 * MIB) === ring);
  t.ok(takeRing(8 * MIB) !== ring, 'by one at a time');
});

t.test('what is kept has a limit, and makes room for the sizes that are asked for', async (t) => {
  const [small, ...large] = [MIB, 8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB].map(takeRing);
  spareRing(small!);
  for (const ring of large) spareRing(ring);
  t.ok(takeRing(MIB) !== small, 'the size that was asked for the longest ago is forgotten');
  const again = large.map((ring) => takeRing(ring.length));
  t.ok(again.every((ring) => large.includes(ring)));
});

t.test('a ring that is larger than all that may be kept is not', async (t) => {
  const [large, small] = [takeRing(64 * MIB), takeRing(MIB)];
  spareRing(small);
  spareRing(large);
  t.ok(takeRing(64 * MIB) !== large);
  t.ok(takeRing(MIB) === small, 'nor is another forgotten for it');
});
