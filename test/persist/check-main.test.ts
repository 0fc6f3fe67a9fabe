import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE } from '../../persist/layout.ts';
import { Table } from '../../persist/table.ts';
import { digestOfData } from './contents.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CHECK = fileURLToPath(new URL('../../persist/check-main.ts', import.meta.url));

function check(...directories: string[]) {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', CHECK, ...directories],
    { encoding: 'utf8' },
  );
  return { status, stderr };
}

t.test('a sound store is found sound, and a damaged one is not', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  const marker = Buffer.from('a name to be found in the file');
  journal.put(Table.node, 1, 0, marker);
  journal.commit();
  await journal.close();
  const before = digestOfData(directory);
  t.same(check(directory), { status: 0, stderr: '' });
  t.equal(digestOfData(directory), before);

  const path = join(directory, DATA_FILE);
  const bytes = readFileSync(path);
  bytes[bytes.indexOf(marker)]! ^= 1;
  writeFileSync(path, bytes);
  const { status, stderr } = check(directory);
  t.equal(status, 1);
  t.match(stderr, /^the store is damaged: .*checksum of node 1\/0.*\n$/);
});

t.test('what is no store is said to be none', async (t) => {
  t.match(check(temporaryDirectory(t)), { status: 1, stderr: /holds no store\n$/ });
  t.match(check(), { status: 1, stderr: /which store/ });
});
