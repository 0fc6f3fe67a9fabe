import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../..');

/** A copy of the program, to be changed and built again under a running daemon. It goes when the test ends. */
export class ProgramCopy {
  readonly #directory = mkdtempSync('/tmp/holdfast-program-');

  constructor(t: { teardown(handler: () => void): unknown }) {
    t.teardown(() => rmSync(this.#directory, { recursive: true }));
    for (const name of ['tcp', 'persist', 'fs', 'mount', 'tsconfig.json', 'package.json'])
      cpSync(join(PROJECT, name), join(this.#directory, name), { recursive: true });
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#directory, 'node_modules'));
    this.build();
  }

  /** The command line. */
  get path(): string {
    return join(this.#directory, 'dist/mount/cli.js');
  }

  /** Changes the text of one of its sources. */
  change(name: string, change: (text: string) => string): void {
    const path = join(this.#directory, name);
    const before = readFileSync(path, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`nothing has changed in ${name}`);
    writeFileSync(path, after);
  }

  /** Makes one of its sources what it was. */
  restore(name: string): void {
    cpSync(join(PROJECT, name), join(this.#directory, name));
  }

  /** Puts another text in the place of a file of `dist/`, up to the next `build`. */
  replace(name: string, text: string): void {
    writeFileSync(join(this.#directory, 'dist', name), text);
  }

  /** The script that builds it. */
  get builder(): string {
    return join(this.#directory, 'mount/build.sh');
  }

  build(): void {
    execFileSync(this.builder);
  }

  /** Keeps what was built under a name. */
  keep(name: string): void {
    cpSync(this.#dist(''), this.#dist(name), { recursive: true });
  }

  /** Puts what was kept where it is found. */
  use(name: string): void {
    rmSync(this.#dist(''), { recursive: true });
    cpSync(this.#dist(name), this.#dist(''), { recursive: true });
  }

  #dist(name: string): string {
    return join(this.#directory, `dist${name}`);
  }
}
