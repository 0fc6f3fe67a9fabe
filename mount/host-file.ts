import { readFileSync, statSync } from 'node:fs';

/**
 * Makes a function that gives the text of a file of the host as it is now: of what was read before, if the file is the same one and
 * has not changed. Nothing where there is no such file, or none that can be read.
 */
export function hostFile(path: string): () => string {
  let known = '';
  let text = '';
  return () => {
    const version = versionOf(path);
    if (version !== known) {
      text = version === '' ? '' : textOf(path);
      known = version;
    }
    return text;
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function versionOf(path: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${ctimeNs}`;
  } catch {
    return '';
  }
}
