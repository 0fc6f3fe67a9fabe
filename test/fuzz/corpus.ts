import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Inputs that once found something, a folder for each target, each a file of hexadecimal digits. */
export const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));

export function readCorpus(target: string): { name: string; bytes: Uint8Array }[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const digits = readFileSync(join(folder, name), 'utf8').trim();
      return { name, bytes: Uint8Array.from(Buffer.from(digits, 'hex')) };
    });
}
