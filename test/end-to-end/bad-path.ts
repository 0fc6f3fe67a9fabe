import { join } from 'node:path';
import type { PathPlan } from '../sim/path.ts';
import { STACK, STACK6 } from './daemon.ts';
import { NetworkNamespace } from './network-namespace.ts';
import { type Ended, Shell } from './shell.ts';

/** The ends of the hop, and so the addresses of the two kernels. */
export const NEAR = '10.8.0.1';
export const FAR = '10.8.0.2';
const NETWORK = '10.8.0.0/24';
export const NEAR6 = 'fd00:8::1';
export const FAR6 = 'fd00:8::2';
const NETWORK6 = 'fd00:8::/64';

/** What differs from a path that loses nothing and has a round-trip time of 50 ms, 25 each way. */
export type Faults = Partial<Omit<PathPlan, 'outages'>>;

const CLEAN: Required<Faults> = {
  delay: 25,
  rate: Number.MAX_VALUE,
  queue: Number.MAX_VALUE,
  loss: 0,
  burstBegins: 0,
  burstEnds: 1,
  jitter: 0,
  overtaking: 0,
  duplication: 0,
  duplicateDelay: 0,
  corruption: 0,
  marking: 0,
  mtu: 65536,
};

/** Of a network namespace (ip-sysctl.rst). No connection begins with what another one has found out about the path. */
const SETTINGS =
  'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.tcp_no_metrics_save=1';

const HOP = join(import.meta.dirname, 'hop.ts');

interface Teardown {
  teardown(handler: () => void | Promise<void>): unknown;
}

/**
 * A hop (`hop.ts`) from this network namespace to another one, with a kernel's TCP of its own, which knows its way back: to NEAR
 * and to the stack behind it.
 */
export class BadPath {
  readonly #directory: string;
  readonly #namespace: NetworkNamespace;
  readonly #shells: Shell[] = [];

  private constructor(directory: string, namespace: NetworkNamespace) {
    this.#directory = directory;
    this.#namespace = namespace;
  }

  /**
   * @param directory where the snippets on the far side run
   * @param seed of what becomes of each packet
   */
  static async start(
    t: Teardown,
    directory: string,
    seed: number,
    faults: Faults = {},
  ): Promise<BadPath> {
    const namespace = await NetworkNamespace.make(t);
    const path = new BadPath(directory, namespace);
    t.teardown(() => path.#tearDown());
    const plan = JSON.stringify({ ...CLEAN, ...faults });
    const words = ['--import=tsx', HOP, 'near', 'far', String(seed), plan];
    const hop = new Shell(`exec ${quoted(process.execPath, ...words)}`, import.meta.dirname);
    path.#shells.push(hop);
    await hop.printed(/ready/);
    await path.#configure(
      `
      ${SETTINGS}
      ip link set far netns ${namespace.pid}
      ${end('near', NEAR, NEAR6)}
    `,
      `
      ${SETTINGS}
      ${end('far', FAR, FAR6)}
      ip route add ${STACK}/32 via ${NEAR} dev far congctl cubic
      ip route add ${STACK6}/128 via ${NEAR6} dev far congctl cubic
    `,
    );
    return path;
  }

  /** Starts a bash snippet on the far side. */
  shell(script: string): Shell {
    const shell = new Shell(script, this.#directory, this.#namespace.inside);
    this.#shells.push(shell);
    return shell;
  }

  /** Runs a bash snippet on the far side to its end. */
  async run(script: string): Promise<Ended> {
    return await this.shell(script).ended;
  }

  async #configure(near: string, far: string): Promise<void> {
    for (const ended of [
      await new Shell(`set -e\n${near}`, this.#directory).ended,
      await this.run(`set -e\n${far}`),
    ]) {
      if (ended.status !== 0) throw new Error(`no path: ${JSON.stringify(ended)}`);
    }
  }

  async #tearDown(): Promise<void> {
    for (const shell of this.#shells) shell.kill();
    await Promise.all(this.#shells.map(({ ended }) => ended));
  }
}

/**
 * One end of the hop. It delays, and what waits in front of it is not lost there. The routes choose the congestion control, since a
 * namespace may not have by default what the host calls restricted.
 */
function end(name: string, address: string, address6: string): string {
  return `
    ip link set ${name} up mtu 1500 txqueuelen 10000
    ip address add ${address}/24 dev ${name} noprefixroute
    ip address add ${address6}/64 dev ${name} noprefixroute nodad
    ip route add ${NETWORK} dev ${name} congctl cubic
    ip route add ${NETWORK6} dev ${name} congctl cubic
  `;
}

function quoted(...words: string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}
