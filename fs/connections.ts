import { ErrnoError } from '../tcp/errno.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Stack } from '../tcp/stack.ts';
import { Connection } from './connection.ts';
import { checkName } from './name.ts';
import { decodeNode, encodeNode, type Node } from './node-record.ts';
import type { Records } from './records.ts';
import type { Resolver } from './resolver.ts';
import { SortedIds } from './sorted-ids.ts';

/** Who owns a connection, and what owner and group may do with it. */
export type Owner = Pick<Node, 'uid' | 'gid' | 'mode'>;

/**
 * The connections that have a directory, by id and by name. A child that nobody has accepted yet has none, and neither
 * has one whose directory was removed while TCP is still taking leave of the peer.
 */
export class Connections {
  readonly #stack: Stack;
  readonly #records: Records;
  /** Who knows the addresses of hosts. */
  readonly resolver: Resolver;
  readonly #byId = new Map<number, Connection>();
  readonly #byName = new Map<string, Connection>();
  readonly #ids = new SortedIds();
  #changed = Date.now();

  constructor(stack: Stack, records: Records, resolver: Resolver) {
    this.#stack = stack;
    this.#records = records;
    this.resolver = resolver;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** When one came or went: milliseconds since the epoch. */
  get changed(): number {
    return this.#changed;
  }

  /** Makes a connection that is named by its number. */
  create(owner: Owner): Connection {
    return this.adopt(this.#stack.create(), owner);
  }

  /**
   * Makes a connection with a name of its maker's own.
   * @throws ErrnoError EEXIST EINVAL ENAMETOOLONG
   */
  createNamed(name: string, owner: Owner): Connection {
    checkName(name);
    const namesake = this.#byName.get(name);
    if (namesake !== undefined) {
      if (!namesake.isGone) throw new ErrnoError('EEXIST');
      this.remove(namesake.id);
    }
    const pcb = this.#stack.create();
    return this.#add(pcb.ID, newNode(name, owner), true);
  }

  /** Gives a directory to a connection that the stack has made. */
  adopt(pcb: Pcb, owner: Owner): Connection {
    return this.#add(pcb.ID, newNode(String(pcb.ID), owner), true);
  }

  find(id: number): Connection | undefined {
    const connection = this.#byId.get(id);
    return connection?.isGone ? undefined : connection;
  }

  /** Its name, also when it has just gone; undefined when it has no directory. */
  nameOf(id: number): string | undefined {
    return this.#byId.get(id)?.name;
  }

  /** @throws ErrnoError ESTALE when there is none, or none any more */
  get(id: number): Connection {
    const connection = this.find(id);
    if (connection === undefined) throw new ErrnoError('ESTALE');
    return connection;
  }

  findNamed(name: string): Connection | undefined {
    const connection = this.#byName.get(name);
    return connection?.isGone ? undefined : connection;
  }

  /** Those with an id above `id`, in ascending order. */
  *after(id: number): Generator<Connection> {
    for (const next of this.#ids.after(id)) {
      const connection = this.#byId.get(next)!;
      if (!connection.isGone) yield connection;
    }
  }

  /** Takes the directory away, if there is one; the name is free at once. What becomes of the connection is not its matter. */
  remove(id: number): void {
    const connection = this.#byId.get(id);
    if (connection === undefined) return;
    this.#byId.delete(id);
    this.#byName.delete(connection.name);
    this.#ids.delete(id);
    this.#records.delete('node', id);
    this.#changed = Date.now();
  }

  save(connection: Connection): void {
    this.#records.put('node', connection.id, encodeNode(connection.node));
  }

  /** @throws RecordError */
  restore(id: number, value: Uint8Array): void {
    const node = decodeNode(value);
    if (node.name !== String(id) && !isAllowed(node.name)) {
      throw new RecordError(`the record of node ${id} has a name that nobody may give`);
    }
    if (this.#byName.has(node.name) || this.#byId.has(id)) {
      throw new RecordError(`the record of node ${id} has a name that another has`);
    }
    this.#add(id, node, false);
  }

  #add(id: number, node: Node, isNew: boolean): Connection {
    const connection = new Connection(id, node, this.#stack, this);
    this.#byId.set(id, connection);
    this.#byName.set(node.name, connection);
    this.#ids.add(id);
    if (isNew) {
      this.save(connection);
      this.#changed = Date.now();
    }
    return connection;
  }
}

function newNode(name: string, owner: Owner): Node {
  const { uid, gid, mode } = owner;
  return { name, uid, gid, mode, created: Date.now(), errorTold: false, autoclose: false };
}

function isAllowed(name: string): boolean {
  try {
    checkName(name);
    return true;
  } catch {
    return false;
  }
}
