import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import type { Commons } from './commons.ts';
import type { Connection } from './connection.ts';
import type { File, FileTable } from './file.ts';
import { accept } from './files/accept.ts';
import { acceptData } from './files/accept-data.ts';
import { acceptSocket } from './files/accept-socket.ts';
import { bind } from './files/bind.ts';
import { clone } from './files/clone.ts';
import { connect } from './files/connect.ts';
import { connections } from './files/connections.ts';
import { ctl } from './files/ctl.ts';
import { data } from './files/data.ts';
import { engineStatus } from './files/engine-status.ts';
import { error } from './files/error.ts';
import { events } from './files/events.ts';
import { exported } from './files/exported.ts';
import { address } from './files/iface/address.ts';
import { counters } from './files/iface/counters.ts';
import { mtu } from './files/iface/mtu.ts';
import { imported } from './files/imported.ts';
import { journalStatus } from './files/journal-status.ts';
import { listen } from './files/listen.ts';
import { listeners } from './files/listeners.ts';
import { local } from './files/local.ts';
import { log } from './files/log.ts';
import { newSocket } from './files/new-socket.ts';
import { peek } from './files/peek.ts';
import { readme } from './files/readme.ts';
import { remote } from './files/remote.ts';
import { resolve } from './files/resolve.ts';
import { shutdown } from './files/shutdown.ts';
import { state } from './files/state.ts';
import { stats } from './files/stats.ts';
import { status } from './files/status.ts';
import { udpClone, udpNewSocket } from './files/udp/clone.ts';
import { udpConnect } from './files/udp/connect.ts';
import { udpConnections } from './files/udp/connections.ts';
import { udpCtl } from './files/udp/ctl.ts';
import { udpData } from './files/udp/data.ts';
import { udpPeek } from './files/udp/peek.ts';
import { udpRemote } from './files/udp/remote.ts';
import { udpStats } from './files/udp/stats.ts';
import { udpStatus } from './files/udp/status.ts';
import { connectionOf, DIAL, IFACE, kindOf, PERSIST, ROOT, TCP, UDP } from './node-id.ts';

/**
 * Every file by its kind. A kind is part of node numbers and of the records of open files: it stays with its file, and
 * is used once in all tables, also in those of `sockopts.ts`, and not for those in `dial/`; only the files of connections and of UDP
 * sockets that have one name have one kind. 0 to 2 and those from 240 to 255 are directories (`node-id.ts`).
 */
export const ROOT_FILES: FileTable<Commons> = new Map<number, File<Commons>>([
  [3, engineStatus],
  [9, readme],
  [10, events],
  [11, log],
  [12, resolve],
  [13, imported],
]);

export const TCP_FILES: FileTable<Commons> = new Map<number, File<Commons>>([
  [4, clone],
  [5, newSocket],
  [6, connections],
  [7, listeners],
  [8, stats],
]);

export const UDP_FILES: FileTable<Commons> = new Map<number, File<Commons>>([
  [140, udpClone],
  [141, udpNewSocket],
  [142, udpConnections],
  [143, udpStats],
]);

export const IFACE_FILES: FileTable<Commons> = new Map<number, File<Commons>>([
  [128, address],
  [129, mtu],
  [130, counters],
]);

export const PERSIST_FILES: FileTable<Commons> = new Map<number, File<Commons>>([
  [136, journalStatus],
]);

/** The files that belong to no connection, by the kind of the directory they are in. */
export const COMMON_FILES: ReadonlyMap<number, FileTable<Commons>> = new Map([
  [ROOT, ROOT_FILES],
  [TCP, TCP_FILES],
  [UDP, UDP_FILES],
  [IFACE, IFACE_FILES],
  [PERSIST, PERSIST_FILES],
  [DIAL, new Map()],
]);

/** An open `clone` is this file of the connection that it made. */
export const CTL = 16;
/** An open file of `dial/` is this one, and so is an open `accept_data`, of the connection that it has accepted. */
export const DATA = 17;

export const ACCEPT_DATA = 31;

export const CONNECTION_FILES: FileTable<Connection> = new Map<number, File<Connection>>([
  [CTL, ctl],
  [DATA, data],
  [18, connect],
  [19, bind],
  [20, listen],
  [21, accept],
  [22, state],
  [23, status],
  [24, local],
  [25, remote],
  [26, error],
  [27, peek],
  [28, acceptSocket],
  [29, shutdown],
  [30, exported],
  [ACCEPT_DATA, acceptData],
]);

export const UDP_SOCKET_FILES: FileTable<Connection<UdpPcb>> = new Map<
  number,
  File<Connection<UdpPcb>>
>([
  [CTL, udpCtl],
  [17, udpData],
  [18, udpConnect],
  [19, bind],
  [23, udpStatus],
  [24, local],
  [25, udpRemote],
  [26, error],
  [27, udpPeek],
]);

/** The kind of the file called `name`. */
export function kindOfName(files: FileTable<never>, name: string): number | undefined {
  for (const [kind, file] of files) if (file.name === name) return kind;
  return undefined;
}

/** Whether a node is a file that tells, and of whose use nothing comes but open files: no connection depends on it. */
export function isReport(node: number): boolean {
  if (connectionOf(node) !== 0) return false;
  for (const files of COMMON_FILES.values()) {
    const file = files.get(kindOf(node));
    if (file !== undefined) return !file.stream && file.clone === undefined;
  }
  return false;
}
