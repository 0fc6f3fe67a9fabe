import { decodeHandle } from '../fs/handle-record.ts';
import { decodeNode } from '../fs/node-record.ts';
import { NO_SOURCES } from '../fs/sources.ts';
import { Tree } from '../fs/tree.ts';
import { restoreConnections, SOCKET_TABLES, salvageConnections } from '../persist/connections.ts';
import type { RecordStore } from '../persist/record-store.ts';
import { RecordsInMemory } from '../persist/records-in-memory.ts';
import type { StoreContents } from '../persist/store-contents.ts';
import { StoreError } from '../persist/store-error.ts';
import { Table } from '../persist/table.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';
import { Stack } from '../tcp/stack.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';

/** The record that says which handles may have been given out, among those of handles; see fs/handles.ts. */
const RESERVED_HANDLES = 0;

/** Addresses do not matter to what is restored (RFC 5737, RFC 3849). */
const STACK = {
  address: '192.0.2.1',
  prefix: 24,
  address6: '2001:db8::1',
  mtu: 1500,
  secret: new Uint8Array(32),
  entropy: () => 0,
  now: 0,
};

/** What the records of a store mean, as far as they mean anything. */
export interface Audit {
  readonly pcbs: ReadonlyMap<number, Pcb>;
  /** Those whose datagrams are whole, and can be counted. */
  readonly udpPcbs: ReadonlyMap<number, UdpPcb>;
  /** The names of connections and UDP sockets by their ids. */
  readonly names: ReadonlyMap<number, string>;
  /** What contradicts itself or something else, a line each. */
  readonly problems: readonly string[];
}

/** Restores a store's records as an engine would, except that it goes on when something is wrong. */
export function audit(contents: StoreContents): Audit {
  const auditor = new Auditor(contents);
  auditor.restoreConnections();
  auditor.restoreTree();
  auditor.checkIds();
  return auditor;
}

class Auditor implements Audit {
  readonly #contents: StoreContents;
  readonly #stack = new Stack(STACK);
  readonly udpPcbs = new Map<number, UdpPcb>();
  readonly names = new Map<number, string>();
  readonly problems: string[] = [];

  constructor(contents: StoreContents) {
    this.#contents = contents;
  }

  get pcbs(): ReadonlyMap<number, Pcb> {
    return this.#stack.pcbs;
  }

  /** Whether the host has gone down with the store in use. */
  get #isSalvage(): boolean {
    const { restoresFrom } = this.#contents;
    return restoresFrom === 'checkpoint' || restoresFrom === 'snapshot';
  }

  /** One after the other, so that one that is damaged does not hide the next. */
  restoreConnections(): void {
    for (const [id, records] of connectionsIn(this.#contents.records)) {
      this.#attempt(() => {
        if (this.#isSalvage) salvageConnections(records, this.#stack);
        else restoreConnections(records, this.#stack);
        if (this.#stack.find(id) === undefined)
          throw new RecordError(`the record of connection ${id} is another's`);
        const udpPcb = this.#stack.udp.pcbs.get(id);
        if (udpPcb !== undefined) this.udpPcbs.set(id, udpPcb);
      });
    }
  }

  restoreTree(): void {
    const { records } = this.#contents;
    const tree = new Tree(this.#stack, { put: () => {}, delete: () => {} }, NO_SOURCES);
    for (const { id, value } of records.scan(Table.node)) {
      this.#attempt(() => {
        tree.restore('node', id, value);
        this.names.set(id, decodeNode(value).name);
        if (this.#stack.find(id) === undefined)
          throw new RecordError(`directory ${id} has no connection`);
      });
    }
    for (const { id, value } of records.scan(Table.dialed)) {
      this.#attempt(() => tree.restore('dialed', id, value));
    }
    for (const { id, value } of records.scan(Table.handle)) {
      this.#attempt(() => {
        tree.restore('handle', id, value);
        if (id !== RESERVED_HANDLES) this.#checkHandle(id, decodeHandle(value).connection);
      });
    }
  }

  /** No id may be given out twice. */
  checkIds(): void {
    const { facts } = this.#contents;
    if (facts === undefined) return;
    for (const id of [...this.pcbs.keys(), ...this.udpPcbs.keys()])
      if (id >= facts.nextId)
        this.problems.push(`connection ${id} has an id that is still to come`);
  }

  /** The connection of an open file may be gone, and not yet to come. */
  #checkHandle(id: number, connection: number): void {
    if (connection >= (this.#contents.facts?.nextId ?? Infinity))
      throw new RecordError(`handle ${id} is of connection ${connection}, which there never was`);
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof RecordError)) throw error;
      this.problems.push(error.message);
    }
  }
}

/** The records of each connection and UDP socket, its streams' chunks included, by themselves. */
function connectionsIn(records: RecordStore): Map<number, RecordStore> {
  const connections = new Map<number, RecordsInMemory>();
  for (const table of SOCKET_TABLES) {
    for (const { id, index, value } of records.scan(table)) {
      let connection = connections.get(id);
      if (connection === undefined) {
        connection = new RecordsInMemory();
        connections.set(id, connection);
      }
      connection.put(table, id, index, value);
    }
  }
  return connections;
}
