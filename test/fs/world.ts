import { type Attempt, BLOCKED, type Call } from '../../fs/attempt.ts';
import { ROOT, TCP } from '../../fs/node-id.ts';
import { RECORD_KINDS } from '../../fs/records.ts';
import { type Attributes, Tree } from '../../fs/tree.ts';
import { NO_LIMITS, type UserLimits } from '../../fs/users.ts';
import { CONNECTION_FILES } from '../../mount/connection-files.ts';
import type { ControlBlock } from '../../tcp/control-block.ts';
import type { Egress } from '../../tcp/egress.ts';
import { ErrnoError, type ErrnoName } from '../../tcp/errno.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { Stack } from '../../tcp/stack.ts';
import { seeded } from '../seeded.ts';
import { KeptRecords } from './kept-records.ts';
import { KnownNames } from './known-names.ts';

export const HERE = '10.7.0.2';
export const THERE = '10.7.0.1';

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;

const MTU = 1500;

/** Packets on their way, in the memory of a wire. */
class Wire implements Egress {
  readonly bytes = new Uint8Array(65536);
  readonly view = new DataView(this.bytes.buffer);
  readonly packets: Uint8Array[] = [];

  reserve(length: number): number {
    return length <= this.bytes.length ? 0 : -1;
  }

  commit(length: number): void {
    this.packets.push(this.bytes.slice(0, length));
  }
}

export interface Options {
  readonly limits?: UserLimits;
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
}

/** A tree over a stack, and a peer's stack at the other end of a wire, in a time of their own. */
export class World {
  now = 1000;
  readonly records = new KeptRecords();
  readonly resolver = new KnownNames();
  readonly limits: UserLimits;
  readonly here: Stack;
  readonly there: Stack;
  tree: Tree;
  /** While it is cut, nothing arrives. */
  isCut = false;
  #changed: ControlBlock[] = [];
  readonly #outgoing = new Wire();
  readonly #incoming = new Wire();

  constructor(options: Options = {}) {
    this.limits = options.limits ?? NO_LIMITS;
    this.here = this.#stack(HERE, 1, options);
    this.there = this.#stack(THERE, 2, options);
    this.tree = this.#tree();
  }

  /** Another engine's tree, over the same stack and from the records alone. */
  restart(): void {
    this.tree = this.#tree();
    for (const kind of RECORD_KINDS) {
      for (const [id, value] of this.records.of(kind)) this.tree.restore(kind, id, value);
    }
  }

  call(options: Partial<Call> = {}): Call {
    const { now } = this;
    return { uid: 0, gid: 0, pid: 1, nonblocking: false, note: 0, returnable: 0, ...options, now };
  }

  /** Lets packets arrive until there are none. */
  settle(): void {
    const { here, there, now } = this;
    for (let quiet = false; !quiet; ) {
      here.tick(now);
      there.tick(now);
      here.transmit(now, this.#outgoing);
      there.transmit(now, this.#incoming);
      const outgoing = this.#outgoing.packets.splice(0);
      const incoming = this.#incoming.packets.splice(0);
      quiet = outgoing.length + incoming.length === 0;
      if (this.isCut) continue;
      for (const packet of outgoing) there.arrive(packet, 0, packet.length, now);
      for (const packet of incoming) here.arrive(packet, 0, packet.length, now);
    }
    const changed = here.takeChanged();
    this.#changed.push(...changed);
    this.tree.note(changed, here.takeRemoved());
    there.takeRemoved();
  }

  /** The connections here that may have changed since the last call. */
  takeChanged(): ControlBlock[] {
    const changed = this.#changed.concat(this.here.takeChanged());
    this.#changed = [];
    return changed;
  }

  /** Time passes, with everything happening when it is due. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      this.settle();
      const due = Math.min(this.here.deadline, this.there.deadline);
      if (due > end) break;
      this.now = Math.max(this.now, due);
    }
    this.now = end;
    this.settle();
  }

  /** Attempts until there is a result; as long as there is none, time passes, an hour at most. */
  wait<T>(attempt: (call: Call) => Attempt<T>, options: Partial<Call> = {}): T {
    const call: { -readonly [Key in keyof Call]: Call[Key] } = this.call(options);
    for (let second = 0; second < 3600; second++) {
      call.now = this.now;
      const result = attempt(call);
      if (result !== BLOCKED) return result;
      this.pass(1000);
    }
    throw new Error('still blocked after an hour');
  }

  /** Somebody at the other end listens. */
  listenThere(port: number): Pcb {
    const listener = this.there.create();
    this.there.bind(listener, { address: THERE, port });
    this.there.listen(listener, 16);
    return listener;
  }

  /** Somebody at the other end connects. */
  connectThere(port: number): Pcb {
    const pcb = this.there.create();
    this.there.connect(pcb, { address: HERE, port }, this.now);
    this.settle();
    return pcb;
  }

  /** A connection `name`, established. @returns the peer's end */
  establish(name: string, port = 9000): Pcb {
    const listener = this.listenThere(port);
    this.mkdir(name);
    this.write(`tcp/${name}/connect`, `${THERE}:${port}`);
    return this.there.accept(listener)!;
  }

  /** The peer sends `text`, which arrives. */
  sendThere(pcb: Pcb, text: string): void {
    this.there.send(pcb, new TextEncoder().encode(text), this.now);
    this.settle();
  }

  /** What has arrived at the peer. */
  receiveThere(pcb: Pcb): string {
    const target = new Uint8Array(pcb.readable);
    const count = this.there.receive(pcb, target, this.now);
    this.settle();
    return new TextDecoder().decode(target.subarray(0, count));
  }

  find(path: string): Attributes {
    let attributes = this.tree.getattr(ROOT, this.now);
    for (const name of path.split('/').filter((part) => part !== '')) {
      attributes = this.tree.lookup(attributes.node, name, this.now);
    }
    return attributes;
  }

  open(path: string, flags: number, options: Partial<Call> = {}): number {
    const opened = this.tree.open(this.find(path).node, flags, this.call(options));
    if (opened === BLOCKED) throw new Error('open blocked');
    return opened.handle;
  }

  /** Reads a text file to its end, in pieces of `size`. */
  read(path: string, size = 4096): string {
    const handle = this.open(path, O_RDONLY);
    try {
      return this.readHandle(handle, size);
    } finally {
      this.tree.release(handle, this.now);
    }
  }

  readHandle(handle: number, size = 4096): string {
    const bytes: number[] = [];
    const target = new Uint8Array(size);
    for (;;) {
      const count = this.wait((call) => this.tree.read(handle, bytes.length, target, call));
      if (count === 0) return new TextDecoder().decode(new Uint8Array(bytes));
      bytes.push(...target.subarray(0, count));
    }
  }

  /** Writes once, and waits until that has succeeded. */
  write(path: string, text: string | Uint8Array, options: Partial<Call> = {}): number {
    const handle = this.open(path, O_WRONLY, options);
    try {
      return this.writeHandle(handle, text, options);
    } finally {
      this.tree.release(handle, this.now);
    }
  }

  writeHandle(handle: number, text: string | Uint8Array, options: Partial<Call> = {}): number {
    const source = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const count = this.wait((call) => this.tree.write(handle, 0, source, call), options);
    this.settle();
    return count;
  }

  mkdir(name: string, options: Partial<Call> = {}, mode = 0o755, parent = 'tcp'): Attributes {
    return this.tree.mkdir(this.find(parent).node, name, mode, this.call(options));
  }

  mkdirUdp(name: string, options: Partial<Call> = {}): Attributes {
    return this.mkdir(name, options, 0o755, 'udp');
  }

  rmdir(name: string, options: Partial<Call> = {}): void {
    this.tree.rmdir(this.find('tcp').node, name, this.call(options));
    this.settle();
  }

  list(path: string): string[] {
    return [...this.tree.readdir(this.find(path).node, 0)].map(({ name }) => name);
  }

  /** The names of the connections. */
  names(): string[] {
    const { tree, now } = this;
    const entries = [...tree.readdir(TCP, 0)].filter(({ name }) => name !== '.' && name !== '..');
    return entries.filter(({ node }) => tree.getattr(node, now).links > 1).map(({ name }) => name);
  }

  #tree(): Tree {
    return new Tree(this.here, this.records, {
      facts: () => [
        ['epoch', 3],
        ['version', '0.1.0'],
      ],
      addresses: () => [`${HERE}/24`],
      mtu: () => MTU,
      journal: () => [['durable', 7]],
      resolver: this.resolver,
      connectionFiles: CONNECTION_FILES,
      limits: this.limits,
    });
  }

  #stack(address: string, seed: number, options: Options): Stack {
    const random = seeded(seed);
    return new Stack({
      address,
      prefix: 24,
      mtu: MTU,
      secret: new Uint8Array(16).map(() => random(256)),
      entropy: () => random(2 ** 32),
      now: this.now,
      ...options,
    });
  }
}

/** The errno that `act` fails with; undefined when it does not fail. */
export function errnoOf(act: () => unknown): ErrnoName | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ErrnoError) return error.errno;
    throw error;
  }
}
