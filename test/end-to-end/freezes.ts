// The long run, by hand: npm run freezes -- 100
import '../namespace.ts';
import t from 'tap';
import { bulkUnderFreezes } from './bulk-under-freezes.ts';

const freezes = Number(process.argv[2] ?? 100);

t.setTimeout(0);
t.test(`${freezes} freezes in the middle of a transfer`, (t) => {
  t.setTimeout(0);
  return bulkUnderFreezes(t, freezes);
});
