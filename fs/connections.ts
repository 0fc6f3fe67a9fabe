import type { Network } from '../tcp/address.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { ErrnoError } from '../tcp/errno.ts';
import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Stack } from '../tcp/stack.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import { Connection } from './connection.ts';
import type { File, FileTable } from './file.ts';
import { checkName } from './name.ts';
import { decodeNode, encodeNode, type Node } from './node-record.ts';
import type { Records } from './records.ts';
import type { Protocol, SocketKind } from './socket-kind.ts';
import { SortedIds } from './sorted-ids.ts';
import type { ConnectionSources } from './sources.ts';
import type { Users } from './users.ts';

/** Who owns a connection, and what owner and group may do with it. */
export type Owner = Pick<Node, 'uid' | 'gid' | 'mode'>;

/**
 * The connections that have a directory, or the UDP sockets, by id and by name. A child that nobody has accepted yet has none, and neither
 * has one whose directory was removed while TCP is still taking leave of the peer.
 */
export class Connections<Subject extends ControlBlock = Pcb> {
  readonly #kind: SocketKind<Subject>;
  readonly #stack: Stack;
  readonly protocol: Protocol<Subject>;
  readonly #records: Records;
  readonly #users: Users;
  /** What they know of the engine. */
  readonly sources: ConnectionSources;
  readonly #byId = new Map<number, Connection<Subject>>();
  readonly #byName = new Map<string, Connection<Subject>>();
  readonly #ids = new SortedIds();
  /** Ids of those of whose nodes something else holds than what somebody may keep. */
  #outdated: number[] = [];
  #changed = Date.now();

  constructor(
    kind: SocketKind<Subject>,
    stack: Stack,
    records: Records,
    users: Users,
    sources: ConnectionSources,
  ) {
    this.#kind = kind;
    this.#users = users;
    this.#stack = stack;
    this.protocol = kind.protocolOf(stack);
    this.#records = records;
    this.sources = sources;
  }

  /** Of the directory that has theirs, and its node's number. */
  get name(): Network {
    return this.#kind.name;
  }

  get node(): number {
    return this.#kind.node;
  }

  /** The files that each has, and those in its `sockopts/`. */
  get files(): FileTable<never> {
    return this.#kind.files;
  }

  get sockopts(): FileTable<never> {
    return this.#kind.sockopts;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** When one came or went: milliseconds since the epoch. */
  get changed(): number {
    return this.#changed;
  }

  /**
   * Makes a connection that is named by its number.
   * @throws ErrnoError ENFILE ENOBUFS
   */
  create(owner: Owner): Connection<Subject> {
    this.#users.check(owner.uid);
    return this.adopt(this.protocol.create(), owner);
  }

  /**
   * Makes a connection with a name of its maker's own.
   * @throws ErrnoError EEXIST EINVAL ENAMETOOLONG ENFILE ENOBUFS
   */
  createNamed(name: string, owner: Owner): Connection<Subject> {
    checkName(name);
    const namesake = this.#byName.get(name);
    if (namesake !== undefined) {
      if (!namesake.isGone) throw new ErrnoError('EEXIST');
      this.remove(namesake.id);
    }
    this.#users.check(owner.uid);
    const pcb = this.protocol.create();
    return this.#add(pcb.ID, newNode(name, owner), true);
  }

  /**
   * Whether there may be another one of that owner.
   * @throws ErrnoError ENFILE ENOBUFS
   */
  checkUser({ uid }: Owner): void {
    this.#users.check(uid);
  }

  /** Gives a directory to a connection that the stack has made. */
  adopt(pcb: Subject, owner: Owner): Connection<Subject> {
    return this.#add(pcb.ID, newNode(String(pcb.ID), owner), true);
  }

  /**
   * The name that a connection gets which had one elsewhere.
   * @param replaced the connection whose place it takes
   * @throws ErrnoError EEXIST another has it; EINVAL ENAMETOOLONG nobody may give it
   */
  checkMovedName(name: string, replaced: number | undefined): void {
    if (isNumber(name)) return;
    checkName(name);
    const namesake = this.#byName.get(name);
    if (namesake !== undefined && !namesake.isGone && namesake.id !== replaced)
      throw new ErrnoError('EEXIST', `there is a connection with the name ${name}`);
  }

  /** Gives a directory to a connection that had one elsewhere. One that was named by its number gets another number. */
  adoptMoved(pcb: Subject, node: Node): Connection<Subject> {
    const name = isNumber(node.name) ? String(pcb.ID) : node.name;
    const namesake = this.#byName.get(name);
    if (namesake !== undefined) this.remove(namesake.id);
    return this.#add(pcb.ID, { ...node, name }, true);
  }

  find(id: number): Connection<Subject> | undefined {
    const connection = this.#byId.get(id);
    return connection?.isGone ? undefined : connection;
  }

  /** Its name, also when it has just gone; undefined when it has no directory. */
  nameOf(id: number): string | undefined {
    return this.#byId.get(id)?.name;
  }

  /** @throws ErrnoError ESTALE when there is none, or none any more */
  get(id: number): Connection<Subject> {
    const connection = this.find(id);
    if (connection === undefined) throw new ErrnoError('ESTALE');
    return connection;
  }

  findNamed(name: string): Connection<Subject> | undefined {
    const connection = this.#byName.get(name);
    return connection?.isGone ? undefined : connection;
  }

  /** Those with an id above `id`, in ascending order. */
  *after(id: number): Generator<Connection<Subject>> {
    for (const next of this.#ids.after(id)) {
      const connection = this.#byId.get(next)!;
      if (!connection.isGone) yield connection;
    }
  }

  /**
   * The file of that kind that each has.
   * @throws ErrnoError ESTALE when there is none
   */
  fileOf(kind: number): File<Connection<Subject>> {
    const file = this.#kind.files.get(kind) ?? this.#kind.sockopts.get(kind);
    if (file === undefined) throw new ErrnoError('ESTALE');
    return file;
  }

  /** Takes the directory away, if there is one; the name is free at once. What becomes of the connection is not its matter. */
  remove(id: number): void {
    const connection = this.#byId.get(id);
    if (connection === undefined) return;
    this.#byId.delete(id);
    this.#byName.delete(connection.name);
    this.#ids.delete(id);
    this.outdate(connection);
    this.#users.remove(connection.node.uid);
    this.#records.delete('node', id);
    this.#changed = Date.now();
  }

  /** What was told of its nodes holds no more. */
  outdate({ id, isKept }: Connection<Subject>): void {
    if (isKept) this.#outdated.push(id);
  }

  /** The ids of those that were outdated since the last call. */
  takeOutdated(): readonly number[] {
    if (this.#outdated.length === 0) return NONE;
    const outdated = this.#outdated;
    this.#outdated = [];
    return outdated;
  }

  /** They own it from now on, with all that it counts for. */
  chown(connection: Connection<Subject>, uid: number): void {
    this.#users.remove(connection.node.uid);
    connection.node.uid = uid;
    this.#users.add(uid, this.protocol.pcbs.get(connection.id));
  }

  save(connection: Connection<Subject>): void {
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
    this.#add(id, node, false).isKept = true;
  }

  #add(id: number, node: Node, isNew: boolean): Connection<Subject> {
    const connection = new Connection(id, node, this.#stack, this);
    this.#byId.set(id, connection);
    this.#byName.set(node.name, connection);
    this.#ids.add(id);
    this.#users.add(node.uid, this.protocol.pcbs.get(id));
    if (isNew) {
      this.save(connection);
      this.#changed = Date.now();
    }
    return connection;
  }
}

const NONE: readonly number[] = [];

/** Of either protocol. */
export type AnyConnections = Connections<Pcb> | Connections<UdpPcb>;

function newNode(name: string, owner: Owner): Node {
  const { uid, gid, mode } = owner;
  return { name, uid, gid, mode, created: Date.now(), errorTold: false, autoclose: false };
}

/** Nobody may give such a name; a connection without one has its number. */
function isNumber(name: string): boolean {
  return /^[0-9]+$/.test(name);
}

function isAllowed(name: string): boolean {
  try {
    checkName(name);
    return true;
  } catch {
    return false;
  }
}
