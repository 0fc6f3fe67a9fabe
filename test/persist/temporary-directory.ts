import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that goes when the test ends. */
export function temporaryDirectory(t: { teardown(end: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-persist-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
