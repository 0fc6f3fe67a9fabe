/**
 * Fills the disk that the store is on, and then makes room: what could not be committed must have stayed staged, and
 * what was committed before must be there. Exits with 0 if that holds.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../persist/journal.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { contents } from './contents.ts';

const disk = process.argv[2]!;
const ballast = join(disk, 'ballast');
writeFileSync(ballast, Buffer.alloc(2 ** 20));
const journal = Journal.open(join(disk, 'store'));
journal.put(Table.node, 1, 0, Buffer.from('before'));
const turn = journal.commit();
const before = contents(journal);
journal.put(Table.node, 1, 0, Buffer.from('after'));
journal.put(Table.node, 2, 0, Buffer.alloc(2 ** 20));
assert.throws(() => journal.commit(), StoreError);
assert.throws(() => journal.commit(), StoreError);
assert.equal(journal.turn, turn + 1);
assert.equal(journal.durable, turn);
assert.deepEqual(contents(journal), before);
rmSync(ballast);
assert.equal(journal.commit(), turn + 1);
const after = contents(journal);
assert.equal(after[`${Table.node}/1/0`], Buffer.from('after').toString('hex'));
await journal.close();
const again = Journal.open(join(disk, 'store'));
assert.deepEqual(contents(again), after);
await again.close();
