/** What a status file tells, in its order. */
export type Facts = ReadonlyArray<readonly [key: string, value: string | number]>;

/** One `key value` line for each fact, without the last newline. */
export function keyValueLines(facts: Facts): string {
  return facts.map(([key, value]) => `${key} ${value}`).join('\n');
}
