/**
 * A node's number is computed from its connection's id and the kind of node, never from a name: `id * 256 + kind`.
 * Connection ids are never used again, so a number that the kernel kept from a connection long gone cannot mean another.
 * Id 0 is for the nodes that are always there; kind 0 is the connection's directory. Exact up to 2**45 connections.
 */
const KINDS = 256;

/** FUSE_ROOT_ID of linux/fuse.h. */
export const ROOT = 1;
/** The directory `tcp/`. */
export const TCP = 2;

/** The number of the connection's directory. */
export function directoryNode(connection: number): number {
  return connection * KINDS;
}

/** The number of a file; `connection` is 0 for a file that belongs to none. */
export function fileNode(connection: number, kind: number): number {
  return connection * KINDS + kind;
}

/** The connection's id, 0 for the nodes that are always there. */
export function connectionOf(node: number): number {
  return Math.floor(node / KINDS);
}

/** The kind of file, 0 for a connection's directory. */
export function kindOf(node: number): number {
  return node % KINDS;
}
