import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FOLDER, readScripts } from './files.ts';
import { REQUIREMENTS } from './requirements.ts';

const ROOT = join(FOLDER, '../../..');
const covered = new Set(
  readScripts()
    .filter(({ pending }) => pending === undefined)
    .flatMap(({ covers }) => covers),
);

t.test(
  'each MUST and SHOULD of RFC 9293 Appendix B is in the list, once and in order',
  async (t) => {
    const numbered = (kind: string, count: number) =>
      Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
    t.same(
      REQUIREMENTS.map(([id]) => id),
      [...numbered('MUST', 69), ...numbered('SHLD', 31)],
    );
  },
);

for (const [id, what, note] of REQUIREMENTS) {
  t.test(`${id}: ${what}`, async (t) => {
    t.ok(covered.has(id) || note !== undefined, 'a script shows it, or there is a word on why not');
    for (const [path] of note?.matchAll(/test\/\S+\.ts/g) ?? []) {
      t.ok(existsSync(join(ROOT, path)), path);
    }
    if (note?.startsWith('no:')) t.notOk(covered.has(id), 'a script shows what is not so');
  });
}
