import { type ChildProcess, spawn } from 'node:child_process';

/** How a shell snippet ended. */
export interface Ended {
  /** The exit status; 128 plus the number for a signal, as bash counts. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGNAL_NUMBERS: Record<string, number> = { SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** A bash snippet that runs, with its own process group, so that killing it kills what it started. */
export class Shell {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  stdout = '';
  stderr = '';
  /** Resolves when it has exited and its output is complete. */
  readonly ended: Promise<Ended>;

  /** @param prefix a program, with its arguments, that runs the command that follows them: nsenter(1), say */
  constructor(
    script: string,
    directory: string,
    prefix: readonly string[] = [],
    stdin: 'ignore' | 'pipe' = 'ignore',
  ) {
    const [program = 'bash', ...words] = [...prefix, 'bash', '-c', script];
    this.process = spawn(program, words, {
      cwd: directory,
      detached: true,
      stdio: [stdin, 'pipe', 'pipe'],
    });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) =>
        resolve({
          status: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0),
          stdout: this.stdout,
          stderr: this.stderr,
        }),
      );
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Resolves when it has printed a line that matches `pattern`. Rejects if it ends without. */
  printed(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = this.stdout.match(pattern);
        if (match === null) return;
        this.process.stdout!.off('data', look);
        resolve(match);
      };
      this.process.stdout!.on('data', look);
      this.ended.then((ended) => {
        look();
        reject(new Error(`ended without printing ${pattern}: ${JSON.stringify(ended)}`));
      });
      look();
    });
  }

  /** SIGKILL to it and to all it started. */
  kill(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
