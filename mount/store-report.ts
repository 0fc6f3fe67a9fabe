import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { endpointLine } from '../fs/endpoint-line.ts';
import { DATA_FILE, LAYOUT_VERSION } from '../persist/layout.ts';
import { readStore } from '../persist/store-contents.ts';
import { Witness, witnessOf } from '../persist/witness.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { countDatagrams } from '../tcp/udp/datagram-queue.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import { audit } from './store-audit.ts';

/** One connection or listener, as `holdfast check` tells of it. */
interface ReportedConnection {
  readonly id: number;
  /** '' for one that nobody has accepted yet, or whose directory was removed. */
  readonly name: string;
  readonly state: string;
  readonly local: string;
  readonly remote: string;
  readonly unread_bytes: number;
  readonly unacknowledged_bytes: number;
}

/** One UDP socket, as `holdfast check` tells of it. */
interface ReportedUdpSocket {
  readonly id: number;
  readonly name: string;
  readonly local: string;
  readonly remote: string;
  readonly unread_datagrams: number;
}

/** What `holdfast check` has found. The keys are those of its output. */
export interface StoreReport {
  readonly store: string;
  readonly layout_version: number;
  /** What of it the next mount would use; '' if that cannot be told. */
  readonly restores_from: string;
  readonly closed: boolean;
  readonly turn: number;
  readonly epoch: number;
  /** ISO 8601; '' if it was never used. */
  readonly last_used: string;
  /** The LMDB environment alone, and all files together. */
  readonly data_bytes: number;
  readonly store_bytes: number;
  /** How many are in each state, by its name. */
  readonly states: Readonly<Record<string, number>>;
  readonly connections: readonly ReportedConnection[];
  readonly udp_sockets: readonly ReportedUdpSocket[];
  /** What is wrong, a line each. */
  readonly problems: readonly string[];
}

/**
 * Reads all of a store that nobody uses, and changes nothing.
 * @throws StoreError when there is no store to speak of
 */
export function reportOn(store: string): StoreReport {
  const contents = readStore(store, { witness: new Witness(witnessOf(store)) });
  const { pcbs, udpPcbs, names, problems } = audit(contents);
  const { facts } = contents;
  const connections = [...pcbs.values()].map((pcb) => reportedConnection(pcb, names));
  return {
    store,
    layout_version: facts?.layoutVersion ?? LAYOUT_VERSION,
    restores_from: contents.restoresFrom ?? '',
    closed: contents.closed,
    turn: facts?.turn ?? 0,
    epoch: facts?.epoch ?? 0,
    last_used: facts === undefined ? '' : timeOf(facts.wall),
    data_bytes: bytesOf(store, [DATA_FILE]),
    store_bytes: bytesOf(store, readdirSync(store)),
    states: countStates(connections),
    connections,
    udp_sockets: [...udpPcbs.values()].map((pcb) => reportedUdpSocket(pcb, names)),
    problems: [...contents.problems, ...problems],
  };
}

/** The same for people: `key value` lines, and one line for each connection. */
export function formatReport(report: StoreReport): string {
  const { states, connections, udp_sockets, problems, ...facts } = report;
  const lines = Object.entries(facts).map(([key, value]) => `${key} ${value}`);
  for (const [state, count] of Object.entries(states)) lines.push(`state ${state} ${count}`);
  for (const connection of connections) lines.push(connectionLine(connection));
  for (const socket of udp_sockets) lines.push(udpSocketLine(socket));
  lines.push(`problems ${problems.length}`);
  return `${lines.join('\n')}\n`;
}

function connectionLine(connection: ReportedConnection): string {
  const { id, name, state, local, remote, unread_bytes, unacknowledged_bytes } = connection;
  const words = ['connection', id, name || '-', state, local || '-', remote || '-'];
  return [...words, 'unread', unread_bytes, 'unacknowledged', unacknowledged_bytes].join(' ');
}

function udpSocketLine({ id, name, local, remote, unread_datagrams }: ReportedUdpSocket): string {
  const words = ['udp_socket', id, name || '-', local || '-', remote || '-'];
  return [...words, 'unread', unread_datagrams].join(' ');
}

function reportedConnection(pcb: Pcb, names: ReadonlyMap<number, string>): ReportedConnection {
  return {
    id: pcb.ID,
    name: names.get(pcb.ID) ?? '',
    state: pcb.state,
    local: endpointLine(pcb.local),
    remote: endpointLine(pcb.remote),
    unread_bytes: pcb.readable,
    unacknowledged_bytes: pcb.SEND_END - pcb.SEND_START,
  };
}

function reportedUdpSocket(pcb: UdpPcb, names: ReadonlyMap<number, string>): ReportedUdpSocket {
  return {
    id: pcb.ID,
    name: names.get(pcb.ID) ?? '',
    local: endpointLine(pcb.local),
    remote: endpointLine(pcb.remote),
    unread_datagrams: countDatagrams(pcb),
  };
}

function countStates(connections: readonly ReportedConnection[]): Record<string, number> {
  const states: Record<string, number> = {};
  for (const { state } of connections) states[state] = (states[state] ?? 0) + 1;
  return states;
}

/** A damaged store may hold any number. */
function timeOf(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

function bytesOf(directory: string, names: readonly string[]): number {
  const sizes = names.map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
