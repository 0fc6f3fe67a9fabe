import '../namespace.ts';
import t from 'tap';
import { BadPath, type Faults } from './bad-path.ts';
import { makeFile, transfer } from './bad-path-transfer.ts';
import { MIB } from './bulk.ts';
import { Daemon } from './daemon.ts';
import { SEED } from './seed.ts';

const paths: readonly { readonly title: string; readonly size: number; readonly faults: Faults }[] =
  [
    { title: 'nothing is lost', size: 4 * MIB, faults: {} },
    { title: '1 % is lost', size: MIB / 2, faults: { loss: 0.01 } },
    { title: '5 % is lost', size: MIB / 8, faults: { loss: 0.05 } },
    {
      title: 'packets overtake one another, some come twice and some damaged',
      size: MIB / 2,
      faults: {
        jitter: 10,
        overtaking: 0.05,
        duplication: 0.05,
        duplicateDelay: 20,
        corruption: 0.002,
      },
    },
  ];

t.comment(`HOLDFAST_SEED=${SEED}`);
const daemon = await Daemon.start(t);
for (const { title, size, faults } of paths) {
  t.test(`a file each way, 50 ms from the kernel of another host: ${title}`, async (t) => {
    const path = await BadPath.start(t, daemon.directory, SEED, faults);
    const sent = makeFile(daemon, size, SEED);
    for (const way of ['out', 'in'] as const) {
      const { received, near, far } = await transfer(daemon, path, 'mount', way);
      t.hasStrict(near, { status: 0, stderr: '' }, way);
      t.hasStrict(far, { status: 0, stderr: '' }, way);
      t.equal(received, sent, way);
    }
  });
}
