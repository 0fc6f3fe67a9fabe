// The long run, by hand: npm run kills -- 1000
import '../namespace.ts';
import t from 'tap';
import { MIB } from './bulk.ts';
import { bulkUnderKills } from './bulk-under-kills.ts';

const kills = Number(process.argv[2] ?? 1000);
/** As much for each kill as in the test. */
const size = Math.ceil((256 * kills) / 50) * MIB;

t.setTimeout(0);
t.test(`${size / MIB} MiB each way at once while the engine is killed ${kills} times`, (t) => {
  t.setTimeout(0);
  return bulkUnderKills(t, kills, size);
});
