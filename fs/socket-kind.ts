import type { Endpoint, Network } from '../tcp/address.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import type { CommonOptionName } from '../tcp/socket-option.ts';
import type { Stack } from '../tcp/stack.ts';
import type { Connection } from './connection.ts';
import type { FileTable } from './file.ts';

/** The calls on the sockets of a protocol that the other has too. */
export interface Protocol<Subject extends ControlBlock> {
  readonly pcbs: ReadonlyMap<number, Subject>;
  create(): Subject;
  bind(pcb: Subject, local: Endpoint): void;
  close(pcb: Subject, now: number): void;
  getOption(pcb: Subject, name: CommonOptionName): number;
  setOption(pcb: Subject, name: CommonOptionName, value: number, now: number): void;
}

/** What one protocol is to the tree: a directory that has one for each of its sockets. */
export interface SocketKind<Subject extends ControlBlock> {
  /** Of the directory in the root, and its node's number. */
  readonly name: Network;
  readonly node: number;
  readonly protocolOf: (stack: Stack) => Protocol<Subject>;
  /** The files of each socket, and those in its `sockopts/`. */
  readonly files: FileTable<Connection<Subject>>;
  readonly sockopts: FileTable<Connection<Subject>>;
}
