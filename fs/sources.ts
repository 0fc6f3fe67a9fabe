import { type ConnectionFiles, NO_FILES } from './connection-files.ts';
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
  /** How a connection is written to a file. */
  readonly connectionFiles: ConnectionFiles;
  readonly limits: UserLimits;
}

/** As much as connections need to know. */
export type ConnectionSources = Pick<Sources, 'resolver' | 'connectionFiles'>;

/** Of a tree that no engine serves. */
export const NO_SOURCES: Sources = {
  facts: () => [],
  addresses: () => [],
  mtu: () => 0,
  journal: () => [],
  resolver: NO_NAMES,
  connectionFiles: NO_FILES,
  limits: NO_LIMITS,
};
