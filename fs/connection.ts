import type { Endpoint } from '../tcp/address.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import type { Pcb } from '../tcp/pcb.ts';
import type { CommonOptionName } from '../tcp/socket-option.ts';
import type { Stack } from '../tcp/stack.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import type { Connections } from './connections.ts';
import type { File } from './file.ts';
import type { Node } from './node-record.ts';
import type { Resolver } from './resolver.ts';

/** A connection, or a UDP socket, that has a directory: what its files are about. */
export class Connection<Subject extends ControlBlock = Pcb> {
  readonly id: number;
  readonly node: Node;
  readonly stack: Stack;
  /** Those it is one of. */
  readonly connections: Connections<Subject>;
  /** How often something was not taken as it was written, though poll(2) may have said that the file was ready. */
  shortWrites = 0;
  /** Whether somebody may keep what they were told of its nodes. */
  isKept = false;

  constructor(id: number, node: Node, stack: Stack, connections: Connections<Subject>) {
    this.id = id;
    this.node = node;
    this.stack = stack;
    this.connections = connections;
  }

  get name(): string {
    return this.node.name;
  }

  /** Only for a connection that `Connections` has just given out: one whose PCB is gone is gone itself. */
  get pcb(): Subject {
    return this.connections.protocol.pcbs.get(this.id)!;
  }

  /** Who knows the addresses of hosts. */
  get resolver(): Resolver {
    return this.connections.sources.resolver;
  }

  get isGone(): boolean {
    return !this.connections.protocol.pcbs.has(this.id);
  }

  /** It is theirs from now on. */
  chown(uid: number): void {
    this.connections.chown(this, uid);
  }

  /** Journals the node as it is now. */
  save(): void {
    this.connections.save(this);
  }

  /** What was told of its nodes holds no more. */
  outdate(): void {
    this.connections.outdate(this);
  }

  /**
   * Does something with one of its files.
   * @throws ErrnoError ESTALE when there is none of that kind
   */
  withFile<T>(kind: number, act: <S>(file: File<S>, subject: S) => T): T {
    return act<Connection<Subject>>(this.connections.fileOf(kind), this);
  }

  // The calls that both protocols have.

  bind(local: Endpoint): void {
    this.connections.protocol.bind(this.pcb, local);
  }

  close(now: number): void {
    this.connections.protocol.close(this.pcb, now);
  }

  getOption(name: CommonOptionName): number {
    return this.connections.protocol.getOption(this.pcb, name);
  }

  setOption(name: CommonOptionName, value: number, now: number): void {
    this.connections.protocol.setOption(this.pcb, name, value, now);
  }
}

/** Of either protocol. */
export type AnyConnection = Connection<Pcb> | Connection<UdpPcb>;
