/** A broken invariant: a defect of ours, never a fault of the input. The engine stops on it. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/**
 * @throws InvariantError when `condition` does not hold
 */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(invariant);
}
