import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../persist/temporary-directory.ts';
import { ShortLife } from './every-crash.ts';
import { LmdbStore } from './lmdb-store.ts';
import { SHORT_RUNS } from './short-runs.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

t.test('what a dead engine has left in LMDB is what a short life goes on from', async (t) => {
  const directory = temporaryDirectory(t);
  let stores: LmdbStore[] = [];
  const closeAll = async () => {
    for (const store of stores) await store.close();
    stores = [];
  };
  const newStore = () => {
    const store = new LmdbStore(mkdtempSync(join(directory, 'host-')));
    stores.push(store);
    return store;
  };
  const [run] = SHORT_RUNS;
  const life = new ShortLife(run!, false, newStore);
  await closeAll();
  const crashes = [...life.crashes()].filter(({ at }) => at === 'staged' || at === 'committed');
  t.ok(crashes.length > 0);
  for (const crash of crashes) {
    t.strictSame([...life.failuresOf(crash)], [], JSON.stringify(crash));
    await closeAll();
  }
});
