import { ErrnoError } from '../tcp/errno.ts';
import { inOrder } from './address-order.ts';
import { parseHosts } from './hosts-file.ts';
import { parseServices } from './services-file.ts';

/** The files of the host that say what names stand for: each gives what it says now. */
export interface NameFiles {
  /** hosts(5) */
  readonly hosts: () => string;
  /** services(5) */
  readonly services: () => string;
}

/** What the names of hosts and services stand for. */
export class HostNames {
  readonly #hosts: () => ReadonlyMap<string, readonly string[]>;
  readonly #services: () => ReadonlyMap<string, number>;
  readonly #own: string | undefined;

  /** @param address6 the stack's own, if it has one */
  constructor(files: NameFiles, address6: string | undefined) {
    this.#hosts = whenChanged(files.hosts, parseHosts);
    this.#services = whenChanged(files.services, parseServices);
    this.#own = address6;
  }

  port(service: string): number | undefined {
    return this.#services().get(service);
  }

  addresses(host: string): readonly string[] {
    const name = host.toLowerCase().replace(/\.$/, '');
    const addresses = this.#hosts().get(name);
    if (addresses === undefined) throw new ErrnoError('ENOENT', `${name} is not in /etc/hosts`);
    return inOrder(addresses, this.#own);
  }
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
