import type { Pcb } from '../tcp/pcb.ts';
import type { Stack } from '../tcp/stack.ts';
import type { Connections } from './connections.ts';
import type { Node } from './node-record.ts';
import type { Resolver } from './resolver.ts';

/** A connection that has a directory: what its files are about. */
export class Connection {
  readonly id: number;
  readonly node: Node;
  readonly stack: Stack;
  /** Those it is one of. */
  readonly connections: Connections;
  /** How often something was not taken as it was written, though poll(2) may have said that the file was ready. */
  shortWrites = 0;

  constructor(id: number, node: Node, stack: Stack, connections: Connections) {
    this.id = id;
    this.node = node;
    this.stack = stack;
    this.connections = connections;
  }

  get name(): string {
    return this.node.name;
  }

  /** Only for a connection that `Connections` has just given out: one whose PCB is gone is gone itself. */
  get pcb(): Pcb {
    return this.stack.pcbs.get(this.id)!;
  }

  /** Who knows the addresses of hosts. */
  get resolver(): Resolver {
    return this.connections.resolver;
  }

  get isGone(): boolean {
    return !this.stack.pcbs.has(this.id);
  }

  /** Journals the node as it is now. */
  save(): void {
    this.connections.save(this);
  }
}
