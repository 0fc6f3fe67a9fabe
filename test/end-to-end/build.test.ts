import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { ProgramCopy } from './program-copy.ts';

const run = promisify(execFile);

t.test('whoever starts while the program is built, even twice at once, finds one', async (t) => {
  const program = new ProgramCopy(t);
  const built = dirname(program.path);
  const before = readdirSync(built).sort();
  const stale = join(built, 'chunk-OF-BEFORE.js');
  writeFileSync(stale, '');
  let isBuilt = false;
  const builds = Promise.all([1, 2].map(() => run(program.builder))).then(() => {
    isBuilt = true;
  });
  let starts = 0;
  while (!isBuilt) {
    const { stdout } = await run(process.execPath, [program.path, '--version']);
    t.match(stdout, /^holdfast /);
    starts++;
  }
  await builds;
  t.ok(starts > 0);
  t.notOk(existsSync(stale), 'what is not of this build goes');
  t.same(readdirSync(built).sort(), before);
  execFileSync(process.execPath, [program.path, '--help']);
});
