import type { ControlBlock } from '../tcp/control-block.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { Pcb } from '../tcp/pcb.ts';
import type { Stack } from '../tcp/stack.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import { type Attempt, BLOCKED, type Call } from './attempt.ts';
import {
  type Attributes,
  type DirectoryEntry,
  S_IFDIR,
  S_IFREG,
  STREAM_SIZE,
  TEXT_SIZE,
} from './attributes.ts';
import type { Commons } from './commons.ts';
import type { AnyConnection } from './connection.ts';
import { type AnyConnections, Connections } from './connections.ts';
import { DialedAddresses } from './dialed-addresses.ts';
import { Events } from './events.ts';
import {
  type File,
  type FileTable,
  fileMode,
  isReadable,
  isWritable,
  type News,
  type QuestionFile,
} from './file.ts';
import { COMMON_FILES, CONNECTION_FILES, CTL, kindOfName } from './files.ts';
import { GrowingText } from './growing-text.ts';
import type { Handle } from './handle-record.ts';
import { Handles } from './handles.ts';
import { inputText } from './input.ts';
import { checkLength } from './name.ts';
import {
  CONNECTION,
  connectionOf,
  DIAL,
  DIALED,
  directoryNode,
  fileNode,
  IFACE,
  isDirectory,
  kindOf,
  PERSIST,
  ROOT,
  SOCKOPTS,
  TCP,
  UDP,
} from './node-id.ts';
import { Opening } from './opening.ts';
import { checkOwner, checkRoot, directoryMode, madeMode } from './owner.ts';
import { POLLERR, POLLHUP, POLLPRI, READABLE, WRITABLE } from './poll.ts';
import { Questions } from './questions.ts';
import type { RecordKind, Records } from './records.ts';
import { TCP_CONNECTIONS, UDP_SOCKETS } from './socket-kinds.ts';
import type { Sources } from './sources.ts';
import { Users } from './users.ts';
import { longKept, type Validity, validityOf } from './validity.ts';

export type { Attributes, DirectoryEntry } from './attributes.ts';

/** What open(2) has given. */
export interface Opened {
  /** Its serial number; 0 for a directory, of which nothing need be remembered. */
  readonly handle: number;
  /** Whether it is a stream of bytes, without offsets. */
  readonly stream: boolean;
  readonly directory: boolean;
}

/** What chmod(2) and chown(2) ask for. */
export interface Change {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

const ROOT_MODE = S_IFDIR | 0o555;
/** The directories in the root. */
const SUBDIRECTORIES = [
  { name: 'tcp', node: TCP },
  { name: 'udp', node: UDP },
  { name: 'iface', node: IFACE },
  { name: 'persist', node: PERSIST },
  { name: 'dial', node: DIAL },
];
/** The directory of a connection's options. */
const SOCKOPTS_NAME = 'sockopts';
/** Of `tcp/` and `udp/`: anyone may make a connection; only its owner may remove it, hence the sticky bit (inode(7)). */
const CONNECTIONS_MODE = S_IFDIR | 0o1777;
/** Nobody can make anything in it, but everybody is to hear of that from `create`. */
const DIAL_MODE = CONNECTIONS_MODE;
/** Permissions of the files that are always there, as far as they can be read or written at all. */
const COMMON_MODE = 0o666;

/** The access modes of open(2) (asm-generic/fcntl.h). */
const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_WRONLY = 1;

// Cookies are computed from kinds and ids, like node numbers: they outlast changes of the directory and the engine.
const DOT = 1;
const DOT_DOT = 2;
const SUBDIRECTORY = 3;
/** Cookies of files are their kinds and this; they stay below the next. */
const FILE_COOKIES = 16;
/** Cookies of connections are their ids and this. */
const CONNECTION_COOKIES = 512;

const encoder = new TextEncoder();

/**
 * The tree of files in which every TCP connection and every UDP socket is a directory. Every operation either gives its result, throws an
 * `ErrnoError`, or returns BLOCKED, having changed nothing that it would do twice. An error may come after an effect:
 * EINPROGRESS of a `connect`, or the failing line of a `ctl`.
 *
 * What the kernel checks by itself (default_permissions) is not checked again, except where the owner matters.
 */
export class Tree {
  readonly #stack: Stack;
  readonly #connections: Connections;
  readonly #udpSockets: Connections<UdpPcb>;
  readonly #handles: Handles;
  readonly #dialed: DialedAddresses;
  readonly #questions = new Questions();
  readonly #opening: Opening;
  readonly #commons: Commons;
  readonly #created = Date.now();

  /**
   * @param stack with all that was restored
   * @param sources what it tells of the engine
   * @param log what the engine logs
   */
  constructor(stack: Stack, records: Records, sources: Sources, log = new GrowingText()) {
    this.#stack = stack;
    const { resolver, limits } = sources;
    const users = new Users(limits);
    this.#connections = new Connections(TCP_CONNECTIONS, stack, records, users, sources);
    this.#udpSockets = new Connections(UDP_SOCKETS, stack, records, users, sources);
    this.#handles = new Handles(records);
    this.#dialed = new DialedAddresses(stack, records, resolver);
    this.#opening = new Opening(stack, resolver, this.#connections, this.#handles);
    const events = new Events(stack.pcbs.values());
    const [connections, udpSockets] = [this.#connections, this.#udpSockets];
    this.#commons = { stack, connections, udpSockets, sources, events, log };
  }

  /** Of both protocols. */
  get #all(): readonly AnyConnections[] {
    return [this.#connections, this.#udpSockets];
  }

  /**
   * Takes back a record that an earlier engine has put; before anything else is asked of the tree.
   * @throws RecordError when it is none that `Records` was given
   */
  restore(kind: RecordKind, id: number, value: Uint8Array): void {
    switch (kind) {
      case 'node':
        (this.#stack.udp.pcbs.has(id) ? this.#udpSockets : this.#connections).restore(id, value);
        break;
      case 'dialed':
        this.#dialed.restore(id, value);
        break;
      case 'handle':
        this.#handles.restore(id, value, (file, connection) => this.#isFile(file, connection));
        this.#opening.restored(id);
        break;
    }
  }

  /** The mount is a new one: no program has a file of the old one open. */
  freshMount(now: number): void {
    this.#handles.clear();
    this.#dialed.clear();
    for (const connections of this.#all) {
      for (const { id } of connections.after(0)) this.#closeUnlessHeld(id, now);
    }
  }

  /** Every call that an earlier engine left unanswered has come again: an `open` that has not has nobody who waits for it. */
  settle(now: number): void {
    for (const handle of this.#opening.takeUnclaimed()) this.release(handle, now);
  }

  /**
   * Takes note of what has become of connections and UDP sockets.
   * @param changed those that may be other than they were
   * @param removed those that the stack has removed
   */
  note(changed: Iterable<ControlBlock>, removed: Iterable<ControlBlock>): void {
    const { events } = this.#commons;
    for (const pcb of changed) {
      if (pcb instanceof Pcb) events.changed(pcb, this.#connections.find(pcb.ID)?.name);
    }
    for (const pcb of removed) {
      if (pcb instanceof Pcb) events.removed(pcb, this.#connections.nameOf(pcb.ID));
      for (const connections of this.#all) connections.remove(pcb.ID);
    }
  }

  /** @throws ErrnoError ENAMETOOLONG ENOENT ENOTDIR ESTALE */
  lookup(parent: number, name: string, now: number): Attributes {
    checkLength(name);
    const node = this.#child(parent, name);
    if (node === undefined) throw new ErrnoError('ENOENT');
    return this.getattr(node, now);
  }

  /** @throws ErrnoError ESTALE */
  getattr(node: number, _now: number): Attributes {
    const id = connectionOf(node);
    const kind = kindOf(node);
    if (kind === DIALED) return this.#nobodysStream(node);
    if (id !== 0) {
      const connection = this.#findConnection(id);
      if (connection === undefined && isPassage(kind)) return this.#nobodysStream(node);
      return connectionAttributes(this.#connection(id), kind);
    }
    const links = 2 + subdirectoriesOf(node).length;
    const root = { node, mode: ROOT_MODE, uid: 0, gid: 0, size: 0, links, time: this.#created };
    const connections = this.#connectionsIn(node);
    if (connections !== undefined) {
      const { size, changed } = connections;
      return { ...root, mode: CONNECTIONS_MODE, links: 2 + size, time: changed };
    }
    if (node === DIAL) return { ...root, mode: DIAL_MODE };
    if (COMMON_FILES.has(node)) return root;
    const file = commonFile(kind);
    const mode = S_IFREG | fileMode(file, COMMON_MODE);
    const extent = file.readAt === undefined ? undefined : file.extent?.(this.#commons);
    return { ...root, mode, size: sizeOf(file), links: 1, ...extent };
  }

  /** Nodes of which what was said holds no more, though it might have: to be told before anybody can know why. */
  takeOutdated(): readonly number[] {
    const [tcp, udp] = [this.#connections.takeOutdated(), this.#udpSockets.takeOutdated()];
    return tcp.length + udp.length === 0 ? tcp : [...tcp, ...udp].flatMap(longKept);
  }

  /** For how long what `lookup` and `getattr` say of a node holds, if `takeOutdated` does not say otherwise. */
  validity(node: number): Validity {
    return validityOf(node);
  }

  /**
   * Changes owner or permissions of a whole connection, whichever of its nodes is named.
   * @throws ErrnoError EPERM ESTALE
   */
  setattr(node: number, change: Change, call: Call): Attributes {
    const { mode, uid, gid } = change;
    if (mode !== undefined || uid !== undefined || gid !== undefined) {
      const id = connectionOf(node);
      if (id === 0 || kindOf(node) === DIALED) throw new ErrnoError('EPERM');
      const connection = this.#connection(id);
      const { node: record } = connection;
      checkOwner(record, call);
      if (uid !== undefined && uid !== record.uid) checkRoot(call);
      if (mode !== undefined) record.mode = mode & 0o666;
      if (uid !== undefined) connection.chown(uid);
      if (gid !== undefined) record.gid = gid;
      connection.save();
      connection.outdate();
    }
    return this.getattr(node, call.now);
  }

  /**
   * The entries behind `cookie` (0: all), in an order that does not change while connections come and go: what is there
   * all the time is listed exactly once.
   * @throws ErrnoError ENOTDIR ESTALE
   */
  *readdir(node: number, cookie: number): Iterable<DirectoryEntry> {
    const files = this.#directory(node);
    const id = connectionOf(node);
    if (cookie < DOT) yield { name: '.', node, type: S_IFDIR, cookie: DOT };
    if (cookie < DOT_DOT) {
      yield { name: '..', node: this.#parentOf(node), type: S_IFDIR, cookie: DOT_DOT };
    }
    for (const [index, { name, node: inside }] of subdirectoriesOf(node).entries()) {
      const behind = SUBDIRECTORY + index;
      if (cookie < behind) yield { name, node: inside, type: S_IFDIR, cookie: behind };
    }
    for (const [kind, { name }] of files) {
      const behind = FILE_COOKIES + kind;
      if (cookie < behind) yield { name, node: fileNode(id, kind), type: S_IFREG, cookie: behind };
    }
    const connections = this.#connectionsIn(node)?.after(cookie - CONNECTION_COOKIES) ?? [];
    for (const { id, name } of connections) {
      const directory = directoryNode(id);
      yield { name, node: directory, type: S_IFDIR, cookie: CONNECTION_COOKIES + id };
    }
  }

  /**
   * Refuses to make a file. As in sysfs (fs/namei.c, lookup_open), except in `dial/`, where a name that is no address is one that
   * is not there, also to a shell's `<>`.
   * @throws ErrnoError EACCES; ENOENT in `dial/`
   */
  create(parent: number): never {
    throw new ErrnoError(parent === DIAL ? 'ENOENT' : 'EACCES');
  }

  /**
   * Makes a connection or a UDP socket with a name of its own.
   * @throws ErrnoError EPERM outside `tcp/` and `udp/`; EEXIST EINVAL ENAMETOOLONG
   */
  mkdir(parent: number, name: string, mode: number, call: Call): Attributes {
    const connections = this.#connectionsIn(parent);
    if (connections === undefined) throw new ErrnoError('EPERM');
    const { uid, gid } = call;
    const connection = connections.createNamed(name, { uid, gid, mode: madeMode(mode) });
    return connectionAttributes(connection, CONNECTION);
  }

  /**
   * Closes a connection; its name is free at once, while TCP takes leave of the peer in its own time.
   * @throws ErrnoError EPERM ENOENT ENOTDIR
   */
  rmdir(parent: number, name: string, call: Call): void {
    const connections = this.#connectionsIn(parent);
    if (connections === undefined) throw new ErrnoError('EPERM');
    const connection = connections.findNamed(name);
    if (connection === undefined) {
      const isFile = kindOfName(this.#directory(parent), name) !== undefined;
      throw new ErrnoError(isFile ? 'ENOTDIR' : 'ENOENT');
    }
    checkOwner(connection.node, call);
    connections.remove(connection.id);
    connection.close(call.now);
  }

  /**
   * A file of `dial/` blocks until it is connected. The note of the call that does is the handle that it will have. One that
   * accepts blocks until somebody has connected.
   * @throws ErrnoError EACCES when the file cannot be read or written, for anyone; ESTALE; for a file of `dial/` those of
   * connect(2), for one that accepts those of `acceptOne`
   */
  open(node: number, flags: number, call: Call): Attempt<Opened> {
    if (isDirectory(node)) {
      this.#directory(node);
      return { handle: 0, stream: false, directory: true };
    }
    const kind = kindOf(node);
    const connection = connectionOf(node);
    if (kind === DIALED) return this.#openDialed(connection, flags, call);
    if (connection === 0) return this.#openFile(commonFile(kind), this.#commons, node, flags, call);
    return this.#connection(connection).withFile(kind, (file, subject) =>
      this.#openFile(file, subject, node, flags, call),
    );
  }

  /**
   * @param offset where the reader stands; a stream has no such place
   * @returns how many bytes are in `target` now; 0 at the end
   * @throws ErrnoError EBADF ESTALE, and those of the file
   */
  read(handle: number, offset: number, target: Uint8Array, call: Call): Attempt<number> {
    const open = this.#handles.get(handle);
    if (this.#fileOf(open).ask !== undefined) return this.#readAnswer(handle, open, target);
    if (open.content === undefined || (offset === 0 && this.#isWatched(open))) {
      const given = this.#withSubject(open, (file, subject) =>
        file.ask === undefined ? readFile(file, subject, offset, target, call) : 0,
      );
      if (given === BLOCKED || typeof given === 'number') return given;
      open.content = given;
      this.#handles.save(handle, open);
    }
    const rest = open.content.subarray(offset, offset + target.length);
    target.set(rest);
    return rest.length;
  }

  /**
   * @param _offset where the writer stands, which means nothing: what it writes is one whole input, or goes into a stream
   * @returns how many bytes of `source` were taken
   * @throws ErrnoError EBADF ESTALE, and those of the file
   */
  write(handle: number, _offset: number, source: Uint8Array, call: Call): Attempt<number> {
    const open = this.#handles.get(handle);
    return this.#withSubject(open, (file, subject) => {
      if (file.ask === undefined) return writeFile(file, subject, source, call);
      const answer = this.#ask(handle, open, () => {
        const question = this.#questions.add(handle, source, (beginning) =>
          file.lengthOf === undefined ? beginning.length : file.lengthOf(subject, beginning, call),
        );
        return question === undefined ? [] : file.ask(subject, question, call);
      });
      return answer === BLOCKED ? BLOCKED : source.length;
    });
  }

  /**
   * A read of this open file has not happened after all, or not its last `count` bytes, which were `returnable`: to be said before
   * anything else happens to a tree that was restored, of all such reads.
   */
  takeBack(handle: number, count: number): void {
    const connection = this.#connections.find(this.connectionOf(handle));
    if (connection !== undefined) this.#stack.unreceive(connection.pcb, count);
  }

  release(handle: number, now: number): void {
    const connection = this.connectionOf(handle);
    this.#questions.forget(handle);
    this.#handles.delete(handle);
    this.#closeUnlessHeld(connection, now);
  }

  /** The poll(2) bits that hold now. A file whose connection is gone is ready: for an error. */
  poll(handle: number): number {
    const open = this.#handles.find(handle);
    if (open === undefined) return GONE;
    if (open.connection !== 0 && this.#findConnection(open.connection) === undefined) return GONE;
    const { content } = open;
    return this.#withSubject(open, (file, subject) => pollFile(file, subject, content));
  }

  /** What tells the times apart that `poll` says the same; undefined: each is another. */
  news(handle: number): News | undefined {
    const open = this.#handles.find(handle);
    if (open === undefined) return undefined;
    if (open.connection !== 0 && this.#findConnection(open.connection) === undefined) {
      return undefined;
    }
    return this.#withSubject(open, (file, subject) => file.news?.(subject));
  }

  /** The id of the connection that an open file is of, whose change or removal can let go on what blocks there; 0: none. */
  connectionOf(handle: number): number {
    return this.#handles.find(handle)?.connection ?? 0;
  }

  /** The same for an `open` that is blocked. @param note see `Call` */
  openWaitsOn(node: number, note: number): number {
    if (note !== 0) return this.connectionOf(note);
    return kindOf(node) === DIALED ? 0 : connectionOf(node);
  }

  /**
   * Does something with the file that is open, and what it is about.
   * @throws ErrnoError ESTALE
   */
  #withSubject<T>({ kind, connection }: Handle, act: <S>(file: File<S>, subject: S) => T): T {
    if (connection === 0) return act(commonFile(kind), this.#commons);
    return this.#connection(connection).withFile(kind, act);
  }

  /**
   * An open file, whose connection may be gone.
   * @throws ErrnoError ESTALE
   */
  #fileOf({ kind, connection }: Handle): File<never> {
    if (connection === 0) return commonFile(kind);
    for (const { files, sockopts } of this.#all) {
      const file = files.get(kind) ?? sockopts.get(kind);
      if (file !== undefined) return file;
    }
    throw new ErrnoError('ESTALE');
  }

  /** Whether its readers may wait for another answer. */
  #isWatched(open: Handle): boolean {
    const file = this.#fileOf(open);
    return !file.stream && file.readAt === undefined && file.current !== undefined;
  }

  #findConnection(id: number): AnyConnection | undefined {
    return this.#connections.find(id) ?? this.#udpSockets.find(id);
  }

  /** @throws ErrnoError ESTALE when there is none, or none any more */
  #connection(id: number): AnyConnection {
    const connection = this.#findConnection(id);
    if (connection === undefined) throw new ErrnoError('ESTALE');
    return connection;
  }

  /** Those whose directories are in `directory`. */
  #connectionsIn(directory: number): AnyConnections | undefined {
    return this.#all.find(({ node }) => node === directory);
  }

  /** @param connection 0, or of one that may be gone */
  #isFile(kind: number, connection: number): boolean {
    if (kind === DIALED) return connection !== 0;
    if (connection === 0) return findCommonFile(kind) !== undefined;
    return this.#all.some(({ files, sockopts }) => files.has(kind) || sockopts.has(kind));
  }

  #openFile<Subject>(
    file: File<Subject>,
    subject: Subject,
    node: number,
    flags: number,
    call: Call,
  ): Attempt<Opened> {
    const { stream } = file;
    if (stream && file.accept !== undefined) {
      const accepted = file.accept(subject);
      if (accepted === BLOCKED) return BLOCKED;
      return { handle: this.#opening.data(accepted, flags), stream, directory: false };
    }
    if (!stream && file.clone !== undefined) {
      const made = file.clone(subject, call);
      const content = file.announcement && answer(file.announcement(made));
      return this.#opened({ kind: CTL, connection: made.id, flags, content }, stream);
    }
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY && !isReadable(file)) throw new ErrnoError('EACCES');
    if (access !== O_RDONLY && !isWritable(file)) throw new ErrnoError('EACCES');
    const [kind, connection] = [kindOf(node), connectionOf(node)];
    return this.#opened({ kind, connection, flags, content: undefined }, stream);
  }

  /** Has what can be read from an open file from now on be an answer, or why there is none. */
  #ask(handle: number, open: Handle, ask: () => Attempt<readonly string[]>): Attempt<void> {
    try {
      const lines = ask();
      if (lines === BLOCKED) return BLOCKED;
      open.content = answer(lines);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      open.content = answer(`${error.errno} ${error.message}`);
      throw error;
    } finally {
      this.#handles.save(handle, open);
    }
    return undefined;
  }

  #readAnswer(handle: number, open: Handle, target: Uint8Array): number {
    const { content } = open;
    if (content === undefined || content.length === 0) return 0;
    const given = content.subarray(0, target.length);
    target.set(given);
    open.content = content.slice(given.length);
    this.#handles.save(handle, open);
    return given.length;
  }

  #openDialed(id: number, flags: number, call: Call): Attempt<Opened> {
    const handle =
      call.note === 0
        ? this.#opening.begin(this.#dialed.get(id), flags, call)
        : this.#opening.goOn(call);
    return handle === BLOCKED ? BLOCKED : { handle, stream: true, directory: false };
  }

  /** Of a file in `dial/`, also of one that is forgotten, and of an open one that accepted when its listener is gone. */
  #nobodysStream(node: number): Attributes {
    const mode = S_IFREG | COMMON_MODE;
    return { node, mode, uid: 0, gid: 0, size: STREAM_SIZE, links: 1, time: this.#created };
  }

  /** Closes a connection that asks for it, and removes its directory, if no file of it is open any more. */
  #closeUnlessHeld(id: number, now: number): void {
    if (this.#handles.countOf(id) > 0) return;
    const connection = this.#findConnection(id);
    // What has moved out goes with its file, and nobody may have that yet.
    if (!connection?.node.autoclose || this.#stack.pcbs.get(id)?.hasFile) return;
    connection.connections.remove(id);
    connection.close(now);
  }

  #opened(handle: Handle, stream: boolean): Opened {
    return { handle: this.#handles.add(handle), stream, directory: false };
  }

  /** The node called `name` in `parent`. */
  #child(parent: number, name: string): number | undefined {
    const files = this.#directory(parent);
    const id = connectionOf(parent);
    const kind = kindOfName(files, name);
    if (kind !== undefined) return fileNode(id, kind);
    const subdirectory = subdirectoriesOf(parent).find((directory) => directory.name === name);
    if (subdirectory !== undefined) return subdirectory.node;
    if (parent === DIAL) return this.#dialed.nodeOf(name);
    const connection = this.#connectionsIn(parent)?.findNamed(name);
    return connection && directoryNode(connection.id);
  }

  #parentOf(directory: number): number {
    if (COMMON_FILES.has(directory)) return ROOT;
    const id = connectionOf(directory);
    return kindOf(directory) === SOCKOPTS
      ? directoryNode(id)
      : this.#connection(id).connections.node;
  }

  /** The files in a directory. @throws ErrnoError ENOTDIR ESTALE */
  #directory(node: number): FileTable<never> {
    if (!isDirectory(node)) throw new ErrnoError('ENOTDIR');
    const common = COMMON_FILES.get(node);
    if (common !== undefined) return common;
    const { connections } = this.#connection(connectionOf(node));
    if (kindOf(node) === CONNECTION) return connections.files;
    if (kindOf(node) === SOCKOPTS) return connections.sockopts;
    throw new ErrnoError('ESTALE');
  }
}

/** What poll(2) says of an open file that nothing can be done with: any call ends at once, with an error. */
const GONE = READABLE | WRITABLE | POLLERR | POLLHUP;

/** The directories in another that are there all the time. At most as many as there are cookies before those of files. */
function subdirectoriesOf(node: number): readonly { name: string; node: number }[] {
  if (node === ROOT) return SUBDIRECTORIES;
  if (connectionOf(node) === 0 || kindOf(node) !== CONNECTION) return [];
  return [{ name: SOCKOPTS_NAME, node: fileNode(connectionOf(node), SOCKOPTS) }];
}

/** Whether what is opened by a connection's file is another's, and may stay open for longer. */
function isPassage(kind: number): boolean {
  const file = CONNECTION_FILES.get(kind);
  return file?.stream === true && file.accept !== undefined;
}

/** What stat(2) says of a file that does not know better: what nobody reads beyond, for some look there for the end. */
function sizeOf(file: File<never>): number {
  return file.stream || file.readAt !== undefined ? STREAM_SIZE : TEXT_SIZE;
}

function connectionAttributes(connection: AnyConnection, kind: number): Attributes {
  connection.isKept = true;
  const { id, node: record } = connection;
  const { uid, gid, created: time } = record;
  if (kind === CONNECTION || kind === SOCKOPTS) {
    const mode = S_IFDIR | directoryMode(record.mode);
    const links = kind === CONNECTION ? 3 : 2;
    return { node: fileNode(id, kind), mode, uid, gid, size: 0, links, time };
  }
  return connection.withFile(kind, (file) => {
    const mode = S_IFREG | fileMode(file, record.mode);
    return { node: fileNode(id, kind), mode, uid, gid, size: sizeOf(file), links: 1, time };
  });
}

/** A file that belongs to no connection. @throws ErrnoError ESTALE when there is none of that kind */
function commonFile(kind: number): File<Commons> {
  const file = findCommonFile(kind);
  if (file === undefined) throw new ErrnoError('ESTALE');
  return file;
}

function findCommonFile(kind: number): File<Commons> | undefined {
  for (const files of COMMON_FILES.values()) if (files.has(kind)) return files.get(kind);
  return undefined;
}

/** What a text file says, each line with its newline. */
function answer(text: string | readonly string[]): Uint8Array {
  const lines = typeof text === 'string' ? [text] : text;
  return encoder.encode(lines.map((line) => `${line}\n`).join(''));
}

/** @returns how many bytes are in `target`; or the whole answer of a text file */
function readFile<Subject>(
  file: Exclude<File<Subject>, QuestionFile<Subject>>,
  subject: Subject,
  offset: number,
  target: Uint8Array,
  call: Call,
): Attempt<number | Uint8Array> {
  if (file.stream) return file.read(subject, target, call);
  if (file.readAt !== undefined) return file.readAt(subject, offset, target, call);
  if (file.read === undefined) throw new ErrnoError('EINVAL');
  const text = file.read(subject, call);
  return text === BLOCKED ? BLOCKED : answer(text);
}

function writeFile<Subject>(
  file: Exclude<File<Subject>, QuestionFile<Subject>>,
  subject: Subject,
  source: Uint8Array,
  call: Call,
): Attempt<number> {
  if (file.stream) return file.write(subject, source, call);
  if (file.write === undefined) throw new ErrnoError('EINVAL');
  return file.write(subject, inputText(source), call) === BLOCKED ? BLOCKED : source.length;
}

/** @param content what the open file has said */
function pollFile<Subject>(
  file: File<Subject>,
  subject: Subject,
  content: Uint8Array | undefined,
): number {
  // What has been said once is there to be read, and so is the end behind it.
  const said = content === undefined ? 0 : READABLE;
  if (file.stream || file.readAt !== undefined || file.current === undefined) {
    return said | (file.poll === undefined ? READABLE | WRITABLE : file.poll(subject));
  }
  if (content === undefined) return READABLE;
  const isNews = Buffer.compare(content, answer(file.current(subject))) !== 0;
  return isNews ? READABLE | POLLPRI : 0;
}
