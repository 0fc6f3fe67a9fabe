/**
 * Fills the disk that the store is on: what is small must still be committed, and it must be known that there is no room
 * until there is. Exits with 0 if that holds.
 */
import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../persist/journal.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents } from './contents.ts';

const disk = process.argv[2]!;
const ballast = join(disk, 'ballast');
const journal = Journal.open(join(disk, 'store'), { reserve: 2 ** 20 });
assert.equal(journal.hasRoom, true);
assert.throws(() => {
  for (;;) appendFileSync(ballast, Buffer.alloc(4096));
}, /ENOSPC/);

// Each record needs pages that the file does not have yet.
for (let id = 1; id <= 8; id++) {
  journal.put(Table.node, id, 0, Buffer.alloc(32_768, id));
  journal.commit();
}
assert.equal(journal.hasRoom, false);
assert.equal(journal.regainRoom(), false);
const committed = contents(journal);
assert.equal(Object.keys(committed).filter((key) => key.startsWith(`${Table.node}/`)).length, 8);

journal.put(Table.node, 9, 0, Buffer.alloc(2 * 2 ** 20));
assert.throws(() => journal.commit(), StoreError);
assert.deepEqual(contents(journal), committed);

rmSync(ballast);
assert.equal(journal.commit(), journal.turn - 1);
assert.equal(journal.regainRoom(), true);
assert.equal(journal.hasRoom, true);
await journal.close();
