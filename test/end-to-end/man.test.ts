import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const directory = join(import.meta.dirname, '../../man');
const pages = readdirSync(directory).filter((name) => /\.[1-9]$/.test(name));

t.test('the pages that package.json installs exist', async (t) => {
  const { man } = JSON.parse(readFileSync(join(directory, '../package.json'), 'utf8')) as {
    man: string[];
  };
  t.same(pages.map((name) => `man/${name}`).sort(), man.sort());
});

for (const page of pages) {
  t.test(page, async (t) => {
    const path = join(directory, page);
    const lint = spawnSync('mandoc', ['-T', 'lint', path], { encoding: 'utf8' });
    // Which other pages are installed on this host says nothing about ours.
    const remarks = (lint.stdout + lint.stderr)
      .split('\n')
      .filter((line) => !/referenced manual not found|mandoc\.db/.test(line));
    t.same(remarks, [''], 'mandoc -T lint has nothing to say');
    const man = spawnSync('man', ['--warnings', '--encoding=UTF-8', '--local-file', path], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANROFFSEQ: '' },
    });
    t.equal(man.stderr, '', 'man --warnings has nothing to say');
    t.equal(man.status, 0);
    t.match(man.stdout, /SYNOPSIS|DESCRIPTION/);
  });
}
