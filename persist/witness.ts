import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { getU64, putU64 } from './layout.ts';

const MAGIC = Buffer.from('HOLDFAST', 'latin1');
const LINEAGE = 8;
const TURN = 16;
const SYNCED = 24;
const CHECKSUM = 32;
const LENGTH = 36;

/** The path of the file. */
export function witnessOf(store: string): string {
  return `${store}.witness`;
}

/** What a store is at, or was: turns count within a lineage. */
export interface Standing {
  /** Random; another one after a rollback that the user has accepted. 0: none yet. */
  readonly lineage: number;
  /** The last committed turn. */
  readonly turn: number;
  /** The last turn of which is known that a death of the host cannot take it away. */
  readonly synced: number;
}

/**
 * A file beside the store that knows how far the store has come. When the whole directory is copied back from a
 * backup, all in it agrees; this file does not.
 *
 * It is one small write with each commit, which no death of the process can tear. It knows nothing when it is copied back together
 * with the store, and after a death of the host it may know of an earlier turn than it once did.
 */
export class Witness {
  readonly path: string;
  #fd: number | undefined;
  readonly #bytes = Buffer.alloc(LENGTH);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, LENGTH);

  constructor(path: string) {
    this.path = path;
    this.#bytes.set(MAGIC);
  }

  /** @returns what it knows; undefined: there is none, or it is damaged */
  read(): Standing | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    if (bytes.length !== LENGTH || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
    if (bytes.readUInt32BE(CHECKSUM) !== crc32(bytes.subarray(0, CHECKSUM))) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH);
    return {
      lineage: view.getUint32(LINEAGE),
      turn: getU64(view, TURN),
      synced: getU64(view, SYNCED),
    };
  }

  /** Makes it anew: it is there as a whole and on the disk, or not at all. */
  create(standing: Standing): void {
    const unfinished = `${this.path}.unfinished`;
    const { O_RDWR, O_CREAT, O_TRUNC } = constants;
    this.#fd = openSync(unfinished, O_RDWR | O_CREAT | O_TRUNC, 0o600);
    this.write(standing);
    fsyncSync(this.#fd);
    renameSync(unfinished, this.path);
    const directory = openSync(dirname(this.path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  }

  write({ lineage, turn, synced }: Standing): void {
    this.#fd ??= openSync(this.path, constants.O_RDWR);
    this.#view.setUint32(LINEAGE, lineage);
    putU64(this.#view, TURN, turn);
    putU64(this.#view, SYNCED, synced);
    this.#view.setUint32(CHECKSUM, crc32(this.#bytes.subarray(0, CHECKSUM)));
    writeSync(this.#fd, this.#bytes, 0, LENGTH, 0);
  }

  /** Waits until what was written has reached the disk. */
  sync(): void {
    if (this.#fd !== undefined) fsyncSync(this.#fd);
  }

  /** The same, and lets go of the file. */
  close(): void {
    if (this.#fd === undefined) return;
    this.sync();
    closeSync(this.#fd);
  }
}
