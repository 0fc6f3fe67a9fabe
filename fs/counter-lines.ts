import type { Counters } from '../tcp/counters.ts';

/** A `Name: value` line for each counter whose name `isWanted`. */
export function counterLines(
  counters: Readonly<Counters>,
  isWanted: (name: string) => boolean,
): string[] {
  return Object.entries(counters)
    .filter(([name]) => isWanted(name))
    .map(([name, value]) => `${name}: ${value}`);
}
