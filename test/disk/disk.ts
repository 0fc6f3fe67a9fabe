import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Errno = 'EIO' | 'ENOSPC' | 'EROFS';

/** Where a disk of the tests lies, and what else it is to do. */
interface Options {
  /** Every change goes there, and nothing is synced but on paper. */
  readonly log?: string;
  /** Read instead of the host's: another boot has another page cache. */
  readonly bootId?: string;
}

/** The disk of `disk.c`, for processes that are started with its environment. */
export class TestDisk {
  readonly #library: string;
  readonly #faults: string;

  /** Compiles the library. */
  constructor(t: { teardown(end: () => void): void }) {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    this.#library = join(directory, 'disk.so');
    this.#faults = join(directory, 'faults');
    mkdirSync(this.#faults);
    const source = fileURLToPath(new URL('disk.c', import.meta.url));
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', this.#library, source]);
  }

  /** What a process has to have in its environment for the files in `directory` to be on this disk. */
  environment(directory: string, { log, bootId }: Options = {}): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      HOLDFAST_DISK: directory,
      HOLDFAST_DISK_FAULTS: this.#faults,
      ...(log !== undefined && { HOLDFAST_DISK_LOG: log }),
      ...(bootId !== undefined && { HOLDFAST_DISK_BOOT_ID: bootId }),
    };
  }

  /** From now on every `every`th write or sync fails. */
  fail(what: 'write' | 'sync', errno: Errno, every = 1): void {
    writeFileSync(join(this.#faults, what), `${constants.errno[errno]} ${every}`);
  }

  /** From now on every sync takes until all is well again. */
  hold(): void {
    writeFileSync(join(this.#faults, 'hold'), '1');
  }

  /** All is well again. */
  heal(): void {
    for (const name of ['write', 'sync', 'hold']) rmSync(join(this.#faults, name), { force: true });
  }
}
