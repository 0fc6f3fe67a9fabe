import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HOLDFAST } from './daemon.ts';

const PROJECT = join(dirname(HOLDFAST), '../..');

/** A copy of the built program, to be changed under a running daemon. It goes when the test ends. */
export class ProgramCopy {
  readonly #directory = mkdtempSync('/tmp/holdfast-program-');

  constructor(t: { teardown(handler: () => void): unknown }) {
    t.teardown(() => rmSync(this.#directory, { recursive: true }));
    cpSync(join(PROJECT, 'dist'), join(this.#directory, 'dist'), { recursive: true });
    for (const name of ['node_modules', 'package.json'])
      symlinkSync(join(PROJECT, name), join(this.#directory, name));
  }

  /** The command line. */
  get path(): string {
    return join(this.#directory, 'dist/mount/cli.js');
  }

  /** Changes the text of one of its files. */
  change(name: string, change: (text: string) => string): void {
    const path = join(this.#directory, 'dist', name);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }

  /** Makes one of its files what it was. */
  restore(name: string): void {
    cpSync(join(PROJECT, 'dist', name), join(this.#directory, 'dist', name));
  }
}
