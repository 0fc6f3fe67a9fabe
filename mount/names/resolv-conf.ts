import { formatAddress, parseAddress } from '../../tcp/address.ts';
import { fields } from './fields.ts';

/** Whom to ask, and how. */
export interface DnsSettings {
  /** Addresses of name servers. */
  readonly servers: readonly string[];
  /** What is put behind names that are not complete. */
  readonly search: readonly string[];
  /** A name with at least as many dots is asked for as it is first. */
  readonly ndots: number;
  /** How long an answer is waited for, milliseconds. */
  readonly timeout: number;
  /** How often each server is asked. */
  readonly attempts: number;
}

/** MAXNS of resolv.h. */
const MOST_SERVERS = 3;
const DEFAULTS = { ndots: 1, timeout: 5, attempts: 2 };
/** RES_MAXNDOTS, RES_MAXRETRANS and RES_MAXRETRY of resolv.h. */
const LARGEST = { ndots: 15, timeout: 30, attempts: 5 };

/** What a file as resolv.conf(5) has it says. */
export function parseResolvConf(text: string): DnsSettings {
  const servers: string[] = [];
  const options = { ...DEFAULTS };
  let search: string[] = [];
  for (const [keyword, ...values] of fields(text.replace(/;/g, '#'))) {
    if (keyword === 'nameserver') {
      const address = parseAddress(values[0] ?? '');
      if (address !== undefined) servers.push(formatAddress(address));
    } else if (keyword === 'search' || keyword === 'domain') {
      search = values.map((domain) => domain.replace(/^\.|\.$/g, '')).filter(Boolean);
    } else if (keyword === 'options') {
      for (const value of values) setOption(options, value);
    }
  }
  const { ndots, timeout, attempts } = options;
  const milliseconds = timeout * 1000;
  return {
    servers: servers.slice(0, MOST_SERVERS),
    search,
    ndots,
    timeout: milliseconds,
    attempts,
  };
}

function setOption(options: typeof DEFAULTS, text: string): void {
  const [, name = '', digits] = /^([a-z]+):([0-9]{1,3})$/.exec(text) ?? [];
  if (digits === undefined || !Object.hasOwn(DEFAULTS, name)) return;
  const option = name as keyof typeof DEFAULTS;
  const least = option === 'ndots' ? 0 : 1;
  options[option] = Math.max(least, Math.min(Number(digits), LARGEST[option]));
}

/** The names to be asked for in turn, until one is there (resolv.conf(5), `search` and `ndots`). */
export function candidates(name: string, { search, ndots }: DnsSettings): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = search.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}
