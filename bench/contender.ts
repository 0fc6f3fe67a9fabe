import { setTimeout } from 'node:timers/promises';
import type { Daemon } from '../test/end-to-end/daemon.ts';
import type { Load, Run, Server } from './load.ts';
import type { Sample } from './sample.ts';
import { difference, tunBytes, usageOf } from './usage.ts';
import type { Workload } from './workloads.ts';

/** The port of every server. */
const PORT = 7000;

/** Who is at rest uses less of a processor than this, seconds, in so many milliseconds. */
const RESTING_CPU = 0.02;
const REST_MILLISECONDS = 500;

/** As many as there are connections at the same time. */
const WORKERS = 16;

/** Something that carries TCP between two load programs: near, where what is compared lies, and far, where the kernel's sockets are. */
export interface Contender {
  readonly name: string;
  carry(workload: Workload, milliseconds: number): Promise<Sample>;
}

/** A server on the kernel's sockets, at all addresses of a namespace. */
export async function serveSockets(load: Load, prefix: readonly string[] = []): Promise<Server> {
  return await load.serve('sockets', PORT, WORKERS, prefix);
}

/** An engine that has restored many connections has something to say of each. */
async function untilAtRest(pid: number): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY; ; ) {
    const { cpu } = usageOf([pid]);
    if (cpu - before < RESTING_CPU) return;
    before = cpu;
    await setTimeout(REST_MILLISECONDS);
  }
}

/** The kernel's TCP at both ends of a pair of interfaces. */
export class Kernel implements Contender {
  readonly name: string;
  readonly #load: Load;
  readonly #near: string;
  readonly #far: string;
  readonly #inFar: readonly string[];
  readonly #nearServer: Server;
  readonly #farServer: Server;

  /**
   * @param near address in this namespace, where `nearServer` is
   * @param far address in the other one
   * @param inFar a program that runs another in that one
   */
  constructor(
    name: string,
    load: Load,
    near: string,
    far: string,
    inFar: readonly string[],
    nearServer: Server,
    farServer: Server,
  ) {
    this.name = name;
    this.#load = load;
    this.#near = near;
    this.#far = far;
    this.#inFar = inFar;
    this.#nearServer = nearServer;
    this.#farServer = farServer;
  }

  async carry(workload: Workload, milliseconds: number): Promise<Sample> {
    const { kind, connections } = workload;
    const isAccept = kind === 'accept';
    const server = isAccept ? this.#nearServer : this.#farServer;
    const before = usageOf([server.pid]);
    const run = isAccept
      ? await this.#run(`${this.#near}:${PORT}`, 'connect', milliseconds, 1, this.#inFar)
      : await this.#run(`${this.#far}:${PORT}`, kind, milliseconds, connections);
    const used = difference(usageOf([server.pid]), before);
    const [client, serving] = [run.cpu / run.seconds, used.cpu / run.seconds];
    return {
      contender: this.name,
      workload: workload.name,
      run,
      cpu: run.cpu + used.cpu,
      switches: run.switches + used.switches,
      busy: isAccept
        ? { near: serving, far: client, engine: 0 }
        : { near: client, far: serving, engine: 0 },
      stored: 0,
      commits: 0,
    };
  }

  #run(...words: [string, string, number, number, (readonly string[])?]): Promise<Run> {
    return this.#load.run('sockets', ...words);
  }
}

/** The tree of a mount, and the kernel's TCP at the other end of its TUN. */
export class Mount implements Contender {
  readonly name: string;
  readonly #load: Load;
  readonly #daemon: Daemon;
  readonly #tun: string;
  readonly #stack: string;
  readonly #host: string;
  readonly #nearServer: Server;
  readonly #farServer: Server;

  private constructor(
    name: string,
    load: Load,
    daemon: Daemon,
    tun: string,
    stack: string,
    host: string,
    nearServer: Server,
    farServer: Server,
  ) {
    this.name = name;
    this.#load = load;
    this.#daemon = daemon;
    this.#tun = tun;
    this.#stack = stack;
    this.#host = host;
    this.#nearServer = nearServer;
    this.#farServer = farServer;
  }

  /**
   * @param tun the name of its interface
   * @param stack its own address
   * @param host the host's end, where `farServer` is
   */
  static async of(
    name: string,
    load: Load,
    daemon: Daemon,
    tun: string,
    stack: string,
    host: string,
    farServer: Server,
  ): Promise<Mount> {
    await untilAtRest(await daemon.enginePid());
    // One: what comes is served in turn.
    const nearServer = await load.serve(daemon.mountpoint, PORT, 1);
    return new Mount(name, load, daemon, tun, stack, host, nearServer, farServer);
  }

  async carry(workload: Workload, milliseconds: number): Promise<Sample> {
    const { kind, connections } = workload;
    const isAccept = kind === 'accept';
    const server = isAccept ? this.#nearServer : this.#farServer;
    const engine = await this.#daemon.enginePid();
    const before = { ...(await this.#state()), ...this.#usage(engine, server) };
    const run = isAccept
      ? await this.#load.run('sockets', `${this.#stack}:${PORT}`, 'connect', milliseconds, 1)
      : await this.#load.run(
          this.#daemon.mountpoint,
          `${this.#host}:${PORT}`,
          kind,
          milliseconds,
          connections,
        );
    const after = { ...this.#usage(engine, server), ...(await this.#state()) };
    const used = difference(after.engine, before.engine);
    const serving = difference(after.server, before.server);
    const [client, server_] = [run.cpu / run.seconds, serving.cpu / run.seconds];
    // What the engine wrote went to the interface, to readers of the tree, or to the store.
    const read = kind === 'in' ? run.bytes : 0;
    return {
      contender: this.name,
      workload: workload.name,
      run,
      cpu: run.cpu + serving.cpu + used.cpu,
      switches: run.switches + serving.switches + used.switches,
      busy: {
        near: isAccept ? server_ : client,
        far: isAccept ? client : server_,
        engine: used.cpu / run.seconds,
      },
      stored: used.written - (after.sent - before.sent) - read,
      commits: after.commits - before.commits,
    };
  }

  #usage(engine: number, server: Server) {
    return {
      engine: usageOf([engine]),
      server: usageOf([server.pid]),
      sent: tunBytes(this.#tun),
    };
  }

  async #state(): Promise<{ readonly commits: number }> {
    const [, turn] = /committed_turn\s+(\d+)/.exec(await this.#daemon.read('persist/status'))!;
    return { commits: Number(turn) };
  }
}
