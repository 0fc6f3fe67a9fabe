import { formatAddress, parseAddress } from '../../tcp/address.ts';
import { fields } from './fields.ts';

/** The addresses of each name in a file as hosts(5) has it, in its order; names in small letters. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const [first = '', ...names] of fields(text)) {
    const address = parseAddress(first);
    if (address === undefined) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const others = hosts.get(key);
      if (others === undefined) hosts.set(key, [formatAddress(address)]);
      else others.push(formatAddress(address));
    }
  }
  return hosts;
}
