import type { Stack } from '../tcp/stack.ts';
import type { Connections } from './connections.ts';
import type { Facts } from './key-value-lines.ts';

/** What the files are about that belong to no one connection. */
export interface Commons {
  readonly stack: Stack;
  readonly connections: Connections;
  /** What the `status` at the root tells. */
  readonly facts: () => Facts;
}
