import type { Connection } from './connection.ts';

/** Where a connection is, from the root of the tree: `tcp/17`. */
export function socketPath({ name }: Pick<Connection, 'name'>): string {
  return `tcp/${name}`;
}
