/** Something that no seed justifies. */
export class Violation extends Error {
  override name = 'Violation';
}

/**
 * @throws Violation when `condition` does not hold
 */
export function must(condition: boolean, what: string | (() => string)): asserts condition {
  if (!condition) throw new Violation(typeof what === 'string' ? what : what());
}
