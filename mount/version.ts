import { readFileSync } from 'node:fs';

// One level up when run from the sources, two when run from dist/.
function readPackage(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return readFileSync(new URL(path, import.meta.url), 'utf8');
    } catch {}
  }
  return '{"version":"unknown"}';
}

export const VERSION: string = (JSON.parse(readPackage()) as { version: string }).version;
