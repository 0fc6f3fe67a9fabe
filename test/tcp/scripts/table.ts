import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDER, readScripts } from './files.ts';
import { REQUIREMENTS } from './requirements.ts';

/** Where the table begins in the README. */
const MARK = '<!-- table -->';

/** Markdown: each requirement with what shows it, then all scripts of each folder. */
export function table(): string {
  const scripts = readScripts();
  const byRequirement = new Map<string, string[]>();
  for (const { path, covers, pending } of scripts) {
    for (const id of covers) {
      const paths = byRequirement.get(id) ?? [];
      paths.push(`${path.replace(/\.script$/, '')}${pending === undefined ? '' : ' (pending)'}`);
      byRequirement.set(id, paths);
    }
  }
  const required = REQUIREMENTS.map(([id, what, note]) => {
    const shown = [...(byRequirement.get(id) ?? []), ...(note === undefined ? [] : [note])];
    return `| ${id} | ${what} | ${shown.join('<br>')} |`;
  });
  const isRequired = new Set(REQUIREMENTS.map(([id]) => id));
  const others = [...byRequirement]
    .filter(([id]) => !isRequired.has(id))
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([id, paths]) => `| ${id} | | ${paths.join('<br>')} |`);
  const pending = scripts.filter((script) => script.pending !== undefined);
  return [
    `${scripts.length} scripts, of which ${pending.length} are pending.`,
    '',
    '| requirement | what | scripts, or where else, or why not |',
    '| --- | --- | --- |',
    ...required,
    ...others,
    '',
    '## All scripts',
    '',
    '| script | what | source |',
    '| --- | --- | --- |',
    ...scripts.map(({ path, title, source, pending }) => {
      const what = pending === undefined ? title : `${title} (pending: ${pending})`;
      return `| ${path.replace(/\.script$/, '')} | ${what} | ${source} |`;
    }),
    '',
  ].join('\n');
}

const path = join(FOLDER, 'README.md');
const [before = ''] = readFileSync(path, 'utf8').split(MARK);
writeFileSync(path, `${before}${MARK}\n\n${table()}`);
