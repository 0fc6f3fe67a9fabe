/**
 * A node's number is computed from its connection's id and the kind of node, never from a name: `id * 256 + kind`.
 * Connection ids are never used again, so a number that the kernel kept from a connection long gone cannot mean another.
 * Id 0 is for the nodes that are always there; kinds 0 to 2 and from 240 on are directories. Exact up to 2**45 connections.
 *
 * A file of `dial/` has an id of its own, of the same sequence: see dialed-addresses.ts.
 */
const KINDS = 256;

/** FUSE_ROOT_ID of linux/fuse.h. */
export const ROOT = 1;
/** The directory `tcp/`. */
export const TCP = 2;
/** The directories `iface/`, `persist/` and `dial/`. */
export const IFACE = 240;
export const PERSIST = 241;
export const DIAL = 242;
/** The directory `udp/`. */
export const UDP = 243;

/** The kind of the own directory of a connection or UDP socket, and of `sockopts/` in it. */
export const CONNECTION = 0;
export const SOCKOPTS = 1;
const LAST_DIRECTORY = 2;
const FIRST_OTHER_DIRECTORY = 240;

/** The kind of the files in `dial/`. */
export const DIALED = 144;

/** The number of the connection's directory. */
export function directoryNode(connection: number): number {
  return connection * KINDS + CONNECTION;
}

/** The number of a file, or of a directory in a connection's; `connection` is 0 for a file that belongs to none. */
export function fileNode(connection: number, kind: number): number {
  return connection * KINDS + kind;
}

/** The connection's id, 0 for the nodes that are always there. */
export function connectionOf(node: number): number {
  return Math.floor(node / KINDS);
}

/** The kind of file or directory. */
export function kindOf(node: number): number {
  return node % KINDS;
}

export function isDirectory(node: number): boolean {
  const kind = kindOf(node);
  return kind <= LAST_DIRECTORY || kind >= FIRST_OTHER_DIRECTORY;
}
