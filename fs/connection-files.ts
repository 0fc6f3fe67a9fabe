import type { Pcb } from '../tcp/pcb.ts';
import { RecordError } from '../tcp/record-error.ts';

/** What a file of a connection holds. */
export interface ReadConnection {
  /** The record of its directory. */
  readonly node: Uint8Array;
  /**
   * Has `restore` make the connection of its record, and fills its streams.
   * @throws RecordError when the file contradicts itself; and what `restore` throws
   */
  restore(restore: (record: Uint8Array) => Pcb): void;
}

/** How a connection that has moved out is written to a file, and read from one that anybody may have written. */
export interface ConnectionFiles {
  /**
   * Copies what is from `offset` on.
   * @param node the record of its directory
   * @returns how many bytes are in `target` now; 0 at the end
   */
  copy(pcb: Pcb, node: Uint8Array, offset: number, target: Uint8Array): number;
  /**
   * How long a file is that begins so; undefined when that is too little to say.
   * @throws RecordError when no file does
   */
  lengthOf(beginning: Uint8Array): number | undefined;
  /** @throws RecordError when it is damaged */
  read(bytes: Uint8Array): ReadConnection;
}

/** Of a tree that no engine serves. */
export const NO_FILES: ConnectionFiles = {
  copy: () => 0,
  lengthOf: () => {
    throw new RecordError('nothing moves');
  },
  read: () => {
    throw new RecordError('nothing moves');
  },
};
