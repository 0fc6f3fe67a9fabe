import t from 'tap';
import { Random } from '../tcp/random.ts';
import { readCorpus } from './corpus.ts';
import { TARGETS } from './targets.ts';

/** Enough for a few seconds; `npm run fuzz` is for more. */
const FRESH = { link: 500, parsers: 20_000, udp: 300, 'whole-stack': 150 } as const;

for (const [name, run] of Object.entries(TARGETS)) {
  for (const { name: file, bytes } of readCorpus(name)) {
    t.test(`${name}: ${file}`, async (t) => {
      run(bytes);
      t.pass('finds nothing any more');
    });
  }

  t.test(`${name}: fresh inputs`, async (t) => {
    // The same inputs each time: what is new is looked for with `npm run fuzz`, and kept in the corpus when found.
    const random = new Random(1);
    t.comment(`SEED=${random.seed}`);
    for (let i = 0; i < FRESH[name as keyof typeof FRESH]; i++) {
      const bytes = random.bytes(random.below(400));
      try {
        run(bytes);
      } catch (error) {
        t.fail(`${error} for ${Buffer.from(bytes).toString('hex')}`);
        return;
      }
    }
    t.pass('nothing found');
  });
}
