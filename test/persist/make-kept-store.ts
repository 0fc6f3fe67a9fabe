/**
 * `node --import=tsx test/persist/make-kept-store.ts DIRECTORY`: a closed store of this commit's layout with one of everything, to be kept in
 * `kept-stores/` for the commits that come after it and have to carry it over.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { LMDB_LOCK_FILE, RESERVE_FILE } from '../../persist/layout.ts';
import { makeWorld, storeOf } from '../mount/store-of-world.ts';

const directory = process.argv[2]!;
await storeOf(makeWorld(), directory);
for (const name of [LMDB_LOCK_FILE, RESERVE_FILE]) rmSync(join(directory, name));
