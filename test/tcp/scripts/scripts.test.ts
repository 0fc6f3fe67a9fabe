import t from 'tap';
import { readScripts } from './files.ts';
import { Runner } from './runner.ts';

const scripts = readScripts();

t.ok(scripts.length >= 150, `${scripts.length} scripts`);

for (const script of scripts) {
  const options = script.pending === undefined ? {} : { todo: script.pending };
  t.test(`${script.path}: ${script.title}`, options, async (t) => {
    new Runner(script).run();
    t.pass(script.source);
  });
}

t.comment(`${scripts.filter(({ pending }) => pending !== undefined).length} pending`);
