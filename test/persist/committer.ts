/**
 * Commits turn after turn until it is killed: turn n has n in each of `RECORDS` records of different sizes. Each
 * turn is printed once it is committed.
 */
import { writeSync } from 'node:fs';
import { Journal } from '../../persist/journal.ts';
import { Table } from '../../persist/table.ts';
import { RECORDS } from './committed-records.ts';

const journal = Journal.open(process.argv[2]!);
for (;;) {
  for (let id = 1; id <= RECORDS; id++) {
    const value = Buffer.alloc(8 + 4000 * (id - 1));
    value.writeDoubleBE(journal.turn);
    journal.put(Table.node, id, 0, value);
  }
  writeSync(1, `${journal.commit()}\n`);
}
