import {
  closeSync,
  constants,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { METAS_LENGTH, readMetas } from './data-file.ts';
import { CHECKPOINT_FILES, DATA_FILE, getU64, putU64 } from './layout.ts';
import { type Lmdb, type ReadTransaction, syncToDisk } from './lmdb.ts';

const TURN = 0;
const METAS = 8;
const CHECKSUM = METAS + METAS_LENGTH;
const LENGTH = CHECKSUM + 4;

const fsyncLater = promisify(fsync);

/** LMDB's meta pages as they were at a turn: they lead to that turn's records, and to nothing later. */
export interface Checkpoint {
  readonly turn: number;
  readonly metas: Buffer;
}

/**
 * What a power cut leaves of the journal. Without sync, LMDB's pages reach the disk in any order, so after a power cut
 * its meta pages may speak of pages that never did. A checkpoint is a copy of the meta pages, saved once everything they
 * speak of is on the disk; a read transaction keeps LMDB from using those pages for something else until the next
 * checkpoint is complete. There are two files for them, written in turn, so that one is always whole.
 */
export class Checkpoints {
  readonly #lmdb: Lmdb;
  readonly #dataFd: number;
  readonly #slots: readonly number[];
  #nextSlot: number;
  #pin: ReadTransaction | undefined;

  constructor(directory: string, lmdb: Lmdb) {
    this.#lmdb = lmdb;
    this.#nextSlot = newestSlot(directory) === 0 ? 1 : 0;
    this.#dataFd = openSync(join(directory, DATA_FILE), 'r');
    const { O_RDWR, O_CREAT } = constants;
    this.#slots = CHECKPOINT_FILES.map((name) =>
      openSync(join(directory, name), O_RDWR | O_CREAT, 0o600),
    );
    syncDirectory(directory);
  }

  /** Makes one before it returns: before the first write, for what an engine before us wrote is not on the disk yet. */
  makeNow(turn: number): void {
    const pin = this.#lmdb.useReadTransaction();
    const metas = readMetas(this.#dataFd);
    this.#lmdb.env.sync();
    fsyncSync(this.#save(turn, metas));
    this.#keep(pin);
  }

  /**
   * Makes one of the last committed turn, while later turns go on.
   * @returns resolved when a power cut cannot take away that turn any more
   */
  async make(turn: number): Promise<void> {
    const pin = this.#lmdb.useReadTransaction();
    const metas = readMetas(this.#dataFd);
    await syncToDisk(this.#lmdb);
    await fsyncLater(this.#save(turn, metas));
    this.#keep(pin);
  }

  /** None counts any more, and their pages may be used again. */
  discard(): void {
    for (const fd of this.#slots) {
      ftruncateSync(fd);
      fsyncSync(fd);
    }
    this.close();
  }

  close(): void {
    this.#pin?.done();
    for (const fd of [...this.#slots, this.#dataFd]) closeSync(fd);
  }

  #save(turn: number, metas: Buffer): number {
    const bytes = Buffer.alloc(LENGTH);
    putU64(new DataView(bytes.buffer, bytes.byteOffset), TURN, turn);
    bytes.set(metas, METAS);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, CHECKSUM)), CHECKSUM);
    const fd = this.#slots[this.#nextSlot]!;
    this.#nextSlot = 1 - this.#nextSlot;
    writeSync(fd, bytes, 0, LENGTH, 0);
    return fd;
  }

  #keep(pin: ReadTransaction): void {
    this.#pin?.done();
    this.#pin = pin;
  }
}

/** The newest checkpoint that is whole. */
export function newestCheckpoint(directory: string): Checkpoint | undefined {
  const slot = newestSlot(directory);
  return slot === undefined ? undefined : readSlot(directory, slot);
}

function newestSlot(directory: string): number | undefined {
  const turns = CHECKPOINT_FILES.map((_, slot) => readSlot(directory, slot)?.turn ?? 0);
  const newest = Math.max(...turns);
  return newest === 0 ? undefined : turns.indexOf(newest);
}

function readSlot(directory: string, slot: number): Checkpoint | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, CHECKPOINT_FILES[slot]!));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (bytes.length !== LENGTH) return undefined;
  if (bytes.readUInt32BE(CHECKSUM) !== crc32(bytes.subarray(0, CHECKSUM))) return undefined;
  const turn = getU64(new DataView(bytes.buffer, bytes.byteOffset), TURN);
  return { turn, metas: bytes.subarray(METAS, CHECKSUM) };
}

/** A new file is on the disk only when its directory is. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
