import type { AnyConnection } from './connection.ts';

/** Where a connection or UDP socket is, from the root of the tree: `tcp/17`. */
export function socketPath({ name, connections }: AnyConnection): string {
  return `${connections.name}/${name}`;
}
