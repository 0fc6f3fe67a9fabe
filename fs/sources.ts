import type { Facts } from './key-value-lines.ts';
import { NO_NAMES, type Resolver } from './resolver.ts';
import { NO_LIMITS, type UserLimits } from './users.ts';

/** What the tree knows of the engine around it, and of the host. */
export interface Sources {
  /** The `status` at the root. */
  readonly facts: () => Facts;
  /** The addresses of the stack, as `address/prefix`. */
  readonly addresses: () => readonly string[];
  /** Bytes of the largest packet. */
  readonly mtu: () => number;
  /** How the journal is. */
  readonly journal: () => Facts;
  /** What names stand for. */
  readonly resolver: Resolver;
  readonly limits: UserLimits;
}

/** Of a tree that no engine serves. */
export const NO_SOURCES: Sources = {
  facts: () => [],
  addresses: () => [],
  mtu: () => 0,
  journal: () => [],
  resolver: NO_NAMES,
  limits: NO_LIMITS,
};
