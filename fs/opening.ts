import { ErrnoError } from '../tcp/errno.ts';
import type { Stack } from '../tcp/stack.ts';
import { type Attempt, BLOCKED, type Call } from './attempt.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { endpointsOf } from './destination.ts';
import { type Dialed, dialOn } from './dial.ts';
import { DATA } from './files.ts';
import type { Handles } from './handles.ts';
import { DIALED } from './node-id.ts';
import { CONNECTION_MODE } from './owner.ts';
import type { Resolver } from './resolver.ts';

/**
 * Files of `dial/` on their way from open(2) to an open file. The connection is made, and dialed, when its addresses are known; its
 * handle is of the kind DIALED until it is established, and then of `data`. It has a directory like any other, and is closed with its
 * last open file.
 */
export class Opening {
  readonly #stack: Stack;
  readonly #resolver: Resolver;
  readonly #connections: Connections;
  readonly #handles: Handles;
  /** Handles that an earlier engine has left, and whose calls have not come again. */
  readonly #unclaimed = new Set<number>();

  constructor(stack: Stack, resolver: Resolver, connections: Connections, handles: Handles) {
    this.#stack = stack;
    this.#resolver = resolver;
    this.#connections = connections;
    this.#handles = handles;
  }

  /** Takes note of a handle that was restored. */
  restored(handle: number): void {
    if (this.#handles.find(handle)?.kind === DIALED) this.#unclaimed.add(handle);
  }

  /** Handles that nobody will ever know of, since all calls that could come again have. */
  takeUnclaimed(): number[] {
    const unclaimed = [...this.#unclaimed];
    this.#unclaimed.clear();
    return unclaimed;
  }

  /**
   * Dials, once the addresses are known: then the handle is the call's note.
   * @returns the handle, if the call may not block: of a connection that is not there yet
   * @throws ErrnoError what connect(2) would fail with; ENOBUFS; those of `endpointsOf`
   */
  begin(address: string, flags: number, call: Call): Attempt<number> {
    if (endpointsOf(address, 'tcp', this.#resolver, 0, call.now) === BLOCKED) return BLOCKED;
    const { uid, gid } = call;
    const connection = this.#connections.create({ uid, gid, mode: CONNECTION_MODE });
    const dialed = { count: 0 };
    try {
      dialOn(connection, address, dialed, call);
    } catch (error) {
      this.#close(connection, call.now);
      throw error;
    }
    if (call.nonblocking) return this.data(connection, flags);
    connection.node.autoclose = true;
    connection.save();
    const { id } = connection;
    const content = encodeProgress(address, dialed);
    call.note = this.#handles.add({ kind: DIALED, connection: id, flags, content });
    return BLOCKED;
  }

  /**
   * Goes on with what `begin` began, and left a note of.
   * @throws ErrnoError what connect(2) would fail with; ECONNABORTED somebody else has closed the connection meanwhile
   */
  goOn(call: Call): Attempt<number> {
    const handle = call.note;
    this.#unclaimed.delete(handle);
    const { connection: id, flags, content } = this.#handles.get(handle);
    const connection = this.#connections.find(id);
    const { address, dialed } = decodeProgress(content!);
    const before = dialed.count;
    try {
      if (connection === undefined) throw new ErrnoError('ECONNABORTED');
      if (dialOn(connection, address, dialed, call) === BLOCKED) {
        if (dialed.count === before) return BLOCKED;
        const progress = encodeProgress(address, dialed);
        this.#handles.replace(handle, { kind: DIALED, connection: id, flags, content: progress });
        return BLOCKED;
      }
    } catch (error) {
      this.#handles.delete(handle);
      if (connection !== undefined) this.#close(connection, call.now);
      throw error;
    }
    this.#handles.replace(handle, { kind: DATA, connection: id, flags, content: undefined });
    return handle;
  }

  /** The open `data` that a program has opened something else for; the connection is closed with its last open file. */
  data(connection: Connection, flags: number): number {
    connection.node.autoclose = true;
    connection.save();
    return this.#handles.add({ kind: DATA, connection: connection.id, flags, content: undefined });
  }

  #close({ id, pcb }: Connection, now: number): void {
    this.#connections.remove(id);
    this.#stack.close(pcb, now);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What stands in a handle of the kind DIALED: how many addresses have been dialed, one byte, and of what host. */
function encodeProgress(address: string, { count }: Dialed): Uint8Array {
  return Uint8Array.of(count, ...encoder.encode(address));
}

function decodeProgress(content: Uint8Array): { address: string; dialed: Dialed } {
  return { address: decoder.decode(content.subarray(1)), dialed: { count: content[0]! } };
}
