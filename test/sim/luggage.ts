import type { Program } from './program.ts';

/** A program, and how far it has come. */
export interface Standing {
  readonly program: Program;
  readonly snapshot: unknown;
}

/** What moves from one host to another: connections, each as a file, and who uses them. */
export interface Luggage {
  /** By the ID that the connection had. */
  readonly files: ReadonlyMap<number, Uint8Array>;
  /** The same connections by their sockets: see `connectionOf`. */
  readonly connections: readonly string[];
  readonly programs: readonly Standing[];
}
