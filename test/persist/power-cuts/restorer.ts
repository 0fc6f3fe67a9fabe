import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Restored } from './restore-images.ts';

const PROGRAM = fileURLToPath(new URL('restore-images.ts', import.meta.url));

/** Opens stores in another process, for LMDB may crash over one; then the next one is opened by a new process. */
export class Restorer {
  readonly #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #answers: AsyncIterator<string> | undefined;

  constructor(environment: Record<string, string>) {
    this.#environment = environment;
  }

  /** What a store turned out to hold. */
  async restore(directory: string): Promise<Restored | { readonly died: string }> {
    const child = this.#start();
    child.stdin!.write(`${directory}\n`);
    const { done, value } = await this.#answers!.next();
    if (done !== true) return JSON.parse(value) as Restored;
    const ended = child.exitCode ?? child.signalCode ?? (await once(child, 'exit'));
    this.#child = undefined;
    return { died: `the process that opened it ended: ${ended}` };
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.stdin!.end();
    await exited;
  }

  #start(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#environment },
    });
    child.stdin!.on('error', () => {});
    const lines: Interface = createInterface({ input: child.stdout! });
    this.#answers = lines[Symbol.asyncIterator]();
    this.#child = child;
    return child;
  }
}
