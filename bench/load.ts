import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Shell } from '../test/end-to-end/shell.ts';

const SOURCE = join(import.meta.dirname, 'load.c');

/** A program that runs, and its descriptor of a namespace if it has one of its own. */
export interface Server {
  readonly pid: number;
}

/** What one run of the client has measured. */
export interface Run {
  readonly seconds: number;
  /** Of payload. */
  readonly bytes: number;
  readonly exchanges: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of the client, seconds. */
  readonly cpu: number;
  /** Of the client: context switches. */
  readonly switches: number;
}

interface Teardown {
  teardown(handler: () => void | Promise<void>): unknown;
}

/** The programs of `load.c`, compiled for this bench. */
export class Load {
  readonly #scope: Teardown;
  readonly #directory: string;

  constructor(scope: Teardown, directory: string) {
    this.#scope = scope;
    this.#directory = directory;
    execFileSync('gcc', ['-O2', '-pthread', '-o', join(directory, 'load'), SOURCE]);
  }

  /**
   * Starts a server, and resolves when it listens.
   * @param transport `sockets`, or a mountpoint
   * @param prefix a program that runs the server, say in another namespace
   */
  async serve(
    transport: string,
    port: number,
    workers: number,
    prefix: readonly string[] = [],
  ): Promise<Server> {
    const server = this.#shell(`exec ./load serve '${transport}' ${port} ${workers}`, prefix);
    this.#scope.teardown(async () => {
      server.kill();
      await server.ended;
    });
    await server.printed(/ready/);
    return server;
  }

  /**
   * @param transport `sockets`, or a mountpoint
   * @param target `host:port`
   */
  async run(
    transport: string,
    target: string,
    workload: string,
    milliseconds: number,
    connections: number,
    prefix: readonly string[] = [],
  ): Promise<Run> {
    const words = `'${transport}' ${target} ${workload} ${milliseconds} ${connections}`;
    return JSON.parse(await this.#output(`./load run ${words}`, prefix)) as Run;
  }

  /** Takes all offloads from an interface. */
  async makePlain(name: string, prefix: readonly string[] = []): Promise<void> {
    await this.#output(`./load plain ${name}`, prefix);
  }

  /** Bytes per second of sequential writes to `file`, each synced. */
  async disk(file: string, milliseconds: number): Promise<number> {
    const output = await this.#output(`./load disk '${file}' ${milliseconds}`, []);
    const { bytes, seconds } = JSON.parse(output) as Run;
    return bytes / seconds;
  }

  async #output(script: string, prefix: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.#shell(script, prefix).ended;
    if (status !== 0) throw new Error(`${script}: ${status} ${stderr}`);
    return stdout;
  }

  #shell(script: string, prefix: readonly string[]): Shell {
    return new Shell(script, this.#directory, prefix);
  }
}
