import type { Network } from '../../tcp/address.ts';
import type { ControlBlock } from '../../tcp/control-block.ts';
import { ErrnoError } from '../../tcp/errno.ts';
import type { Stack } from '../../tcp/stack.ts';
import { inOrder } from './address-order.ts';
import type { AddressType } from './dns-message.ts';
import { DnsQuery, type Entropy } from './dns-query.ts';
import { parseHosts } from './hosts-file.ts';
import { type Finding, NameLookup } from './name-lookup.ts';
import { candidates, type DnsSettings, parseResolvConf } from './resolv-conf.ts';
import { parseServices } from './services-file.ts';

/** The files of the host that say what names stand for: each gives what it says now. */
export interface NameFiles {
  /** hosts(5) */
  readonly hosts: () => string;
  /** services(5) */
  readonly services: () => string;
  /** resolv.conf(5) */
  readonly resolvConf: () => string;
  /** The same of the resolver that resolv.conf(5) may lead to, which is on the host and cannot be reached from here. */
  readonly upstreamResolvConf: () => string;
}

export interface HostNamesOptions {
  readonly stack: Stack;
  readonly entropy: Entropy;
  readonly files: NameFiles;
  /** The stack's own IPv6 address, if it has one. */
  readonly address6?: string | undefined;
  /** The address of the name server to be asked in place of those of resolv.conf(5). */
  readonly resolver?: string | undefined;
}

/** How many names are remembered. */
const MOST_REMEMBERED = 512;
/** What was found out is remembered so long at the least, because somebody waits for it, and at the most, milliseconds. */
const SHORTEST_MEMORY = 1000;
const LONGEST_MEMORY = 24 * 60 * 60 * 1000;

/**
 * What the names of hosts and services stand for, by the files of the host and by DNS over the stack. Nothing of it is journaled: a
 * question may be asked again.
 */
export class HostNames {
  readonly #stack: Stack;
  readonly #entropy: Entropy;
  readonly #own: string | undefined;
  readonly #resolver: string | undefined;
  readonly #hosts: () => ReadonlyMap<string, readonly string[]>;
  readonly #services: () => ReadonlyMap<string, number>;
  readonly #resolvConf: () => DnsSettings;
  readonly #upstreamResolvConf: () => DnsSettings;
  /** By name, oldest first. */
  readonly #remembered = new Map<string, { readonly finding: Finding; readonly until: number }>();
  readonly #lookups = new Map<
    string,
    { readonly lookup: NameLookup; readonly waiters: Set<number> }
  >();
  #answered = new Set<number>();

  constructor({ stack, entropy, files, address6, resolver }: HostNamesOptions) {
    this.#stack = stack;
    this.#entropy = entropy;
    this.#own = address6;
    this.#resolver = resolver;
    this.#hosts = whenChanged(files.hosts, parseHosts);
    this.#services = whenChanged(files.services, parseServices);
    this.#resolvConf = whenChanged(files.resolvConf, parseResolvConf);
    this.#upstreamResolvConf = whenChanged(files.upstreamResolvConf, parseResolvConf);
  }

  /** The port of a service. */
  port(service: string, network: Network): number | undefined {
    return this.#services().get(`${service}/${network}`);
  }

  /**
   * The addresses of a host in the order in which they should be tried.
   * @param waiter the id of a connection, which `takeAnswered` gives back when the answer is there
   * @returns undefined while somebody is being asked
   * @throws ErrnoError ENOENT no such host; ETIMEDOUT nobody answers; EHOSTUNREACH who answers does not know
   */
  addresses(host: string, waiter: number, now: number): readonly string[] | undefined {
    const name = host.toLowerCase();
    const local = this.#hosts().get(name.replace(/\.$/, ''));
    if (local !== undefined) return inOrder(local, this.#own);
    const finding = this.#recall(name, now) ?? this.#lookUp(name, waiter, now);
    if (finding === undefined) return undefined;
    if ('error' in finding) throw finding.error;
    return inOrder(finding.addresses, this.#own);
  }

  /** When `tick` is next wanted, milliseconds. */
  get deadline(): number {
    let deadline = Infinity;
    for (const { lookup } of this.#lookups.values()) deadline = Math.min(deadline, lookup.deadline);
    return deadline;
  }

  /** Asks others where nobody has answered in time. */
  tick(now: number): void {
    for (const [name, { lookup }] of this.#lookups) {
      if (lookup.deadline > now) continue;
      lookup.tick(now);
      this.#conclude(name, now);
    }
  }

  /** Takes note of sockets that something has happened to, whosever they are. */
  note(changed: Iterable<ControlBlock>, now: number): void {
    if (this.#lookups.size === 0) return;
    for (const pcb of changed) {
      for (const [name, { lookup }] of this.#lookups) {
        lookup.note(pcb, now);
        this.#conclude(name, now);
      }
    }
  }

  /** Those who waited for what is known by now. */
  takeAnswered(): ReadonlySet<number> {
    const answered = this.#answered;
    if (answered.size > 0) this.#answered = new Set();
    return answered;
  }

  #recall(name: string, now: number): Finding | undefined {
    const remembered = this.#remembered.get(name);
    if (remembered === undefined || remembered.until > now) return remembered?.finding;
    this.#remembered.delete(name);
    return undefined;
  }

  #lookUp(name: string, waiter: number, now: number): Finding | undefined {
    const known = this.#lookups.get(name);
    if (known !== undefined) {
      known.waiters.add(waiter);
      return undefined;
    }
    const settings = this.#settings();
    if (settings.servers.length === 0) {
      throw new ErrnoError('ENOENT', `${name}: not in /etc/hosts, and there is no name server`);
    }
    const types: AddressType[] = this.#own === undefined ? ['A'] : ['AAAA', 'A'];
    const lookup = new NameLookup(
      name,
      candidates(name, settings),
      types,
      (candidate, type) => new DnsQuery(this.#stack, this.#entropy, settings, candidate, type),
    );
    this.#lookups.set(name, { lookup, waiters: new Set([waiter]) });
    lookup.ask(now);
    this.#conclude(name, now);
    return this.#recall(name, now);
  }

  #conclude(name: string, now: number): void {
    const { lookup, waiters } = this.#lookups.get(name)!;
    const { finding } = lookup;
    if (finding === undefined) return;
    this.#lookups.delete(name);
    for (const waiter of waiters) this.#answered.add(waiter);
    const memory = Math.min(Math.max(finding.ttl * 1000, SHORTEST_MEMORY), LONGEST_MEMORY);
    this.#remembered.delete(name);
    this.#remembered.set(name, { finding, until: now + memory });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MOST_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
  }

  /** Servers on the host's own loopback cannot be reached from the stack. */
  #settings(): DnsSettings {
    const settings = this.#resolvConf();
    if (this.#resolver !== undefined) return { ...settings, servers: [this.#resolver] };
    const servers = reachable(settings.servers);
    return servers.length > 0
      ? { ...settings, servers }
      : { ...settings, servers: reachable(this.#upstreamResolvConf().servers) };
  }
}

function reachable(servers: readonly string[]): string[] {
  return servers.filter((server) => !server.startsWith('127.') && server !== '::1');
}

/** What `parse` makes of a text, made anew only when the text is another. */
function whenChanged<T>(read: () => string, parse: (text: string) => T): () => T {
  let text: string | undefined;
  let parsed: T;
  return () => {
    const now = read();
    if (now !== text) {
      text = now;
      parsed = parse(now);
    }
    return parsed;
  };
}
