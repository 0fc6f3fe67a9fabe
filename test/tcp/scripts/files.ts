import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseScript, type Script } from './script.ts';

export const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** All scripts of this folder, in the order of their paths. */
export function readScripts(): Script[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.script'))
    .sort()
    .map((path) => parseScript(path, readFileSync(join(FOLDER, path), 'utf8')));
}
