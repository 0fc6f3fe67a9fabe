import { fields } from './fields.ts';

/** The port of each service in a file as services(5) has it, by name or alias and protocol: `http/tcp`. */
export function parseServices(text: string): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const [name = '', where = '', ...aliases] of fields(text)) {
    const [, digits, network] = /^([0-9]{1,5})\/(tcp|udp)$/.exec(where) ?? [];
    if (digits === undefined || Number(digits) > 0xffff) continue;
    for (const key of [name, ...aliases].map((alias) => `${alias}/${network}`)) {
      if (!ports.has(key)) ports.set(key, Number(digits));
    }
  }
  return ports;
}
