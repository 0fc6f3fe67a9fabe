import { ErrnoError } from '../tcp/errno.ts';
import type { Call } from './attempt.ts';
import type { Node } from './node-record.ts';

/** The permissions of a new connection's files: its owner and their group may use it. */
export const CONNECTION_MODE = 0o660;

const ROOT_UID = 0;

/** The ports that only root may bind (net.ipv4.ip_unprivileged_port_start). */
const UNPRIVILEGED_PORTS = 1024;

/** Who may read or write a connection's files may also search its directory. */
export function directoryMode(mode: number): number {
  return mode | ((mode & 0o444) >> 2) | ((mode & 0o222) >> 1);
}

/**
 * The permissions of the files in a directory that mkdir(2) is asked to make with `mode`: the group shares the
 * connection unless `mode` shuts it out; nobody else does before a chmod.
 */
export function madeMode(mode: number): number {
  return mode & 0o070 ? CONNECTION_MODE : CONNECTION_MODE & 0o600;
}

/** As chown(1) takes it. */
export function ownerColumn({ uid, gid }: Node): string {
  return `${uid}:${gid}`;
}

/** @throws ErrnoError EPERM unless the caller owns the node or is root */
export function checkOwner(node: Node, call: Call): void {
  if (call.uid !== ROOT_UID && call.uid !== node.uid) throw new ErrnoError('EPERM');
}

/** @throws ErrnoError EPERM unless the caller is root */
export function checkRoot(call: Call): void {
  if (call.uid !== ROOT_UID) throw new ErrnoError('EPERM');
}

/** @throws ErrnoError EACCES when only root may bind `port` */
export function checkPort(port: number, call: Call): void {
  if (port > 0 && port < UNPRIVILEGED_PORTS && call.uid !== ROOT_UID) {
    throw new ErrnoError('EACCES');
  }
}
