import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../../persist/journal.ts';
import { DATA_FILE } from '../../persist/layout.ts';
import { Table } from '../../persist/table.ts';

/** All records of a journal but its facts: `table/id/index` and the bytes in hexadecimal. */
export function contents(journal: Journal): Record<string, string> {
  const records: Record<string, string> = {};
  for (const table of Object.values(Table)) {
    if (table === Table.store) continue;
    for (const { id, index, value } of journal.scan(table))
      records[`${table}/${id}/${index}`] = Buffer.from(value).toString('hex');
  }
  return records;
}

/** SHA-256 of a store's data. */
export function digestOfData(directory: string): string {
  return createHash('sha256')
    .update(readFileSync(join(directory, DATA_FILE)))
    .digest('hex');
}
