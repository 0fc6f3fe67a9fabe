import type { Facts } from './key-value-lines.ts';

/** What the tree tells of the engine around it. */
export interface Sources {
  /** The `status` at the root. */
  readonly facts: () => Facts;
  /** The addresses of the stack, as `address/prefix`. */
  readonly addresses: () => readonly string[];
  /** Bytes of the largest packet. */
  readonly mtu: () => number;
  /** How the journal is. */
  readonly journal: () => Facts;
}

/** Of a tree that no engine serves. */
export const NO_SOURCES: Sources = {
  facts: () => [],
  addresses: () => [],
  mtu: () => 0,
  journal: () => [],
};
