import { ErrnoError } from '../tcp/errno.ts';
import type { Stack } from '../tcp/stack.ts';
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
import type { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { type File, fileMode } from './file.ts';
import {
  CONNECTION_FILES,
  CTL,
  type FileTable,
  kindOfName,
  ROOT_FILES,
  TCP_FILES,
} from './files.ts';
import type { Handle } from './handle-record.ts';
import { Handles } from './handles.ts';
import { inputText } from './input.ts';
import type { Facts } from './key-value-lines.ts';
import { connectionOf, directoryNode, fileNode, kindOf, ROOT, TCP } from './node-id.ts';
import { checkOwner, checkRoot, directoryMode, madeMode } from './owner.ts';
import { POLLERR, POLLHUP, READABLE, WRITABLE } from './poll.ts';
import type { RecordKind, Records } from './records.ts';

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
/** The name of the directory of all connections. */
const TCP_NAME = 'tcp';
/** Anyone may make a connection; only its owner may remove it, hence the sticky bit (inode(7)). */
const TCP_MODE = S_IFDIR | 0o1777;
/** Permissions of the files that are always there, as far as they can be read or written at all. */
const COMMON_MODE = 0o666;

/** The access modes of open(2) (asm-generic/fcntl.h). */
const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_WRONLY = 1;

// Cookies are computed from kinds and ids, like node numbers: they outlast changes of the directory and the engine.
const DOT = 1;
const DOT_DOT = 2;
const TCP_COOKIE = 3;
/** Cookies of files are their kinds and this; they stay below the next. */
const FILE_COOKIES = 3;
/** Cookies of connections are their ids and this. */
const CONNECTION_COOKIES = 512;

const encoder = new TextEncoder();

/**
 * The tree of files in which every TCP connection is a directory. Every operation either gives its result, throws an
 * `ErrnoError`, or returns BLOCKED, having changed nothing that it would do twice. An error may come after an effect:
 * EINPROGRESS of a `connect`, or the failing line of a `ctl`.
 *
 * What the kernel checks by itself (default_permissions) is not checked again, except where the owner matters.
 */
export class Tree {
  readonly #stack: Stack;
  readonly #connections: Connections;
  readonly #handles: Handles;
  readonly #commons: Commons;
  readonly #created = Date.now();

  /** @param facts what the `status` at the root tells */
  constructor(stack: Stack, records: Records, facts: () => Facts) {
    this.#stack = stack;
    this.#connections = new Connections(stack, records);
    this.#handles = new Handles(records);
    this.#commons = { stack, connections: this.#connections, facts };
  }

  /**
   * Takes back a record that an earlier engine has put; before anything else is asked of the tree.
   * @throws RecordError when it is none that `Records` was given
   */
  restore(kind: RecordKind, id: number, value: Uint8Array): void {
    if (kind === 'node') this.#connections.restore(id, value);
    else this.#handles.restore(id, value, isFile);
  }

  /** The mount is a new one: no program has a file of the old one open. */
  freshMount(_now: number): void {
    this.#handles.clear();
  }

  /** @param ids connections that the stack has removed */
  forget(ids: Iterable<number>): void {
    for (const id of ids) this.#connections.remove(id);
  }

  /** @throws ErrnoError ENOENT ENOTDIR ESTALE */
  lookup(parent: number, name: string, now: number): Attributes {
    const node = this.#child(parent, name);
    if (node === undefined) throw new ErrnoError('ENOENT');
    return this.getattr(node, now);
  }

  /** @throws ErrnoError ESTALE */
  getattr(node: number, _now: number): Attributes {
    const id = connectionOf(node);
    const kind = kindOf(node);
    if (id !== 0) return connectionAttributes(this.#connections.get(id), kind);
    const root = { node, mode: ROOT_MODE, uid: 0, gid: 0, size: 0, links: 3, time: this.#created };
    if (node === ROOT) return root;
    if (node === TCP) {
      const { size, changed } = this.#connections;
      return { ...root, mode: TCP_MODE, links: 2 + size, time: changed };
    }
    const mode = S_IFREG | fileMode(commonFile(kind), COMMON_MODE);
    return { ...root, mode, size: TEXT_SIZE, links: 1 };
  }

  /**
   * Changes owner or permissions of a whole connection, whichever of its nodes is named.
   * @throws ErrnoError EPERM ESTALE
   */
  setattr(node: number, change: Change, call: Call): Attributes {
    const { mode, uid, gid } = change;
    if (mode !== undefined || uid !== undefined || gid !== undefined) {
      const id = connectionOf(node);
      if (id === 0) throw new ErrnoError('EPERM');
      const connection = this.#connections.get(id);
      const { node: record } = connection;
      checkOwner(record, call);
      if (uid !== undefined && uid !== record.uid) checkRoot(call);
      if (mode !== undefined) record.mode = mode & 0o666;
      if (uid !== undefined) record.uid = uid;
      if (gid !== undefined) record.gid = gid;
      connection.save();
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
      yield { name: '..', node: id === 0 ? ROOT : TCP, type: S_IFDIR, cookie: DOT_DOT };
    }
    if (node === ROOT && cookie < TCP_COOKIE) {
      yield { name: TCP_NAME, node: TCP, type: S_IFDIR, cookie: TCP_COOKIE };
    }
    for (const [kind, { name }] of files) {
      const behind = FILE_COOKIES + kind;
      if (cookie < behind) yield { name, node: fileNode(id, kind), type: S_IFREG, cookie: behind };
    }
    if (node !== TCP) return;
    for (const { id, name } of this.#connections.after(cookie - CONNECTION_COOKIES)) {
      const directory = directoryNode(id);
      yield { name, node: directory, type: S_IFDIR, cookie: CONNECTION_COOKIES + id };
    }
  }

  /**
   * Makes a connection with a name of its own.
   * @throws ErrnoError EPERM outside `tcp/`; EEXIST EINVAL ENAMETOOLONG
   */
  mkdir(parent: number, name: string, mode: number, call: Call): Attributes {
    if (parent !== TCP) throw new ErrnoError('EPERM');
    const { uid, gid } = call;
    const connection = this.#connections.createNamed(name, { uid, gid, mode: madeMode(mode) });
    return connectionAttributes(connection, 0);
  }

  /**
   * Closes a connection; its name is free at once, while TCP takes leave of the peer in its own time.
   * @throws ErrnoError EPERM ENOENT ENOTDIR
   */
  rmdir(parent: number, name: string, call: Call): void {
    if (parent !== TCP) throw new ErrnoError('EPERM');
    const connection = this.#connections.findNamed(name);
    if (connection === undefined) {
      throw new ErrnoError(kindOfName(TCP_FILES, name) === undefined ? 'ENOENT' : 'ENOTDIR');
    }
    checkOwner(connection.node, call);
    this.#connections.remove(connection.id);
    this.#stack.close(connection.pcb, call.now);
  }

  /** @throws ErrnoError EACCES when the file cannot be read or written, for anyone; ESTALE */
  open(node: number, flags: number, call: Call): Attempt<Opened> {
    if (isDirectory(node)) {
      this.#directory(node);
      return { handle: 0, stream: false, directory: true };
    }
    const kind = kindOf(node);
    const connection = connectionOf(node);
    if (connection === 0) return this.#openFile(commonFile(kind), this.#commons, node, flags, call);
    const subject = this.#connections.get(connection);
    return this.#openFile(connectionFile(kind), subject, node, flags, call);
  }

  /**
   * @param offset where the reader stands; a stream has no such place
   * @returns how many bytes are in `target` now; 0 at the end
   * @throws ErrnoError EBADF ESTALE, and those of the file
   */
  read(handle: number, offset: number, target: Uint8Array, call: Call): Attempt<number> {
    const open = this.#handles.get(handle);
    if (open.content === undefined) {
      const given =
        open.connection === 0
          ? readFile(commonFile(open.kind), this.#commons, target, call)
          : readFile(
              connectionFile(open.kind),
              this.#connections.get(open.connection),
              target,
              call,
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
    return open.connection === 0
      ? writeFile(commonFile(open.kind), this.#commons, source, call)
      : writeFile(connectionFile(open.kind), this.#connections.get(open.connection), source, call);
  }

  release(handle: number, _now: number): void {
    this.#handles.delete(handle);
  }

  /** The poll(2) bits that hold now. A file whose connection is gone is ready: for an error. */
  poll(handle: number): number {
    const open = this.#handles.find(handle);
    if (open === undefined) return GONE;
    // What has been said once is there to be read, and so is the end behind it.
    const said = open.content === undefined ? 0 : READABLE;
    if (open.connection === 0) return said | pollFile(commonFile(open.kind), this.#commons);
    const connection = this.#connections.find(open.connection);
    if (connection === undefined) return GONE;
    return said | pollFile(connectionFile(open.kind), connection);
  }

  /** The id of the connection whose change or removal can let go on what this open file blocks; 0: none. */
  waitsOn(handle: number): number {
    return this.#handles.find(handle)?.connection ?? 0;
  }

  #openFile<Subject>(
    file: File<Subject>,
    subject: Subject,
    node: number,
    flags: number,
    call: Call,
  ): Opened {
    const { stream } = file;
    if (!stream && file.clone !== undefined) {
      const { id } = file.clone(subject, call);
      return this.#opened({ kind: CTL, connection: id, flags, content: undefined }, stream);
    }
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY && file.read === undefined) throw new ErrnoError('EACCES');
    if (access !== O_RDONLY && file.write === undefined) throw new ErrnoError('EACCES');
    const [kind, connection] = [kindOf(node), connectionOf(node)];
    return this.#opened({ kind, connection, flags, content: undefined }, stream);
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
    if (parent === ROOT) return name === TCP_NAME ? TCP : undefined;
    if (parent !== TCP) return undefined;
    const connection = this.#connections.findNamed(name);
    return connection && directoryNode(connection.id);
  }

  /** The files in a directory. @throws ErrnoError ENOTDIR ESTALE */
  #directory(node: number): FileTable<never> {
    if (!isDirectory(node)) throw new ErrnoError('ENOTDIR');
    if (node === ROOT) return ROOT_FILES;
    if (node === TCP) return TCP_FILES;
    this.#connections.get(connectionOf(node));
    return CONNECTION_FILES;
  }
}

/** What poll(2) says of an open file that nothing can be done with: any call ends at once, with an error. */
const GONE = READABLE | WRITABLE | POLLERR | POLLHUP;

function isDirectory(node: number): boolean {
  return node === ROOT || node === TCP || kindOf(node) === 0;
}

function connectionAttributes(connection: Connection, kind: number): Attributes {
  const { id, node: record } = connection;
  const { uid, gid, created: time } = record;
  if (kind === 0) {
    const mode = S_IFDIR | directoryMode(record.mode);
    return { node: directoryNode(id), mode, uid, gid, size: 0, links: 2, time };
  }
  const file = connectionFile(kind);
  const mode = S_IFREG | fileMode(file, record.mode);
  const size = file.stream ? STREAM_SIZE : TEXT_SIZE;
  return { node: fileNode(id, kind), mode, uid, gid, size, links: 1, time };
}

function isFile(kind: number, connection: number): boolean {
  if (connection !== 0) return CONNECTION_FILES.has(kind);
  return ROOT_FILES.has(kind) || TCP_FILES.has(kind);
}

/** A file of a connection. @throws ErrnoError ESTALE when there is none of that kind */
function connectionFile(kind: number): File<Connection> {
  const file = CONNECTION_FILES.get(kind);
  if (file === undefined) throw new ErrnoError('ESTALE');
  return file;
}

/** A file that belongs to no connection. @throws ErrnoError ESTALE when there is none of that kind */
function commonFile(kind: number): File<Commons> {
  const file = ROOT_FILES.get(kind) ?? TCP_FILES.get(kind);
  if (file === undefined) throw new ErrnoError('ESTALE');
  return file;
}

/** @returns bytes in `target` of a stream; the whole answer of a text file */
function readFile<Subject>(
  file: File<Subject>,
  subject: Subject,
  target: Uint8Array,
  call: Call,
): Attempt<number | Uint8Array> {
  if (file.stream) return file.read(subject, target, call);
  if (file.read === undefined) throw new ErrnoError('EINVAL');
  const text = file.read(subject, call);
  return text === BLOCKED ? BLOCKED : encoder.encode(`${text}\n`);
}

function writeFile<Subject>(
  file: File<Subject>,
  subject: Subject,
  source: Uint8Array,
  call: Call,
): Attempt<number> {
  if (file.stream) return file.write(subject, source, call);
  if (file.write === undefined) throw new ErrnoError('EINVAL');
  return file.write(subject, inputText(source), call) === BLOCKED ? BLOCKED : source.length;
}

function pollFile<Subject>(file: File<Subject>, subject: Subject): number {
  return file.poll === undefined ? READABLE | WRITABLE : file.poll(subject);
}
