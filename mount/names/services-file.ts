import { fields } from './fields.ts';

/** The port of each service over TCP in a file as services(5) has it, by name and alias. */
export function parseServices(text: string): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const [name = '', where = '', ...aliases] of fields(text)) {
    const digits = /^([0-9]{1,5})\/tcp$/.exec(where)?.[1];
    if (digits === undefined || Number(digits) > 0xffff) continue;
    for (const key of [name, ...aliases]) if (!ports.has(key)) ports.set(key, Number(digits));
  }
  return ports;
}
