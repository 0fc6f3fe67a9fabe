import { closeSync, constants, fsync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { METAS_LENGTH, readMetas } from './data-file.ts';
import type { DataSync } from './data-sync.ts';
import { CHECKPOINT_FILES, DATA_FILE, getU64, putU64 } from './layout.ts';
import type { Lmdb, ReadTransaction } from './lmdb.ts';

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
  readonly #directory: string;
  readonly #lmdb: Lmdb;
  readonly #sync: DataSync;
  readonly #beforehand: () => void;
  readonly #dataFd: number;
  readonly #slots: readonly number[];
  #nextSlot: number;
  #pin: ReadTransaction | undefined;
  #isMaking = false;
  /** The directory says on the disk too that there are these files. */
  #isListed = false;
  /** Nothing was written that could count. */
  #isEmpty: boolean;

  /** @param beforehand has to have succeeded for one to count */
  constructor(directory: string, lmdb: Lmdb, sync: DataSync, beforehand: () => void) {
    this.#directory = directory;
    this.#lmdb = lmdb;
    this.#sync = sync;
    this.#beforehand = beforehand;
    const newest = newestSlot(directory);
    this.#isEmpty = newest === undefined;
    this.#nextSlot = newest === 0 ? 1 : 0;
    this.#dataFd = openSync(join(directory, DATA_FILE), 'r');
    const { O_RDWR, O_CREAT } = constants;
    this.#slots = CHECKPOINT_FILES.map((name) =>
      openSync(join(directory, name), O_RDWR | O_CREAT, 0o600),
    );
  }

  /**
   * Makes one before it returns: before the first write, for what an engine before us wrote is not on the disk yet.
   * @throws Error the disk's: there is none but those before
   */
  makeNow(turn: number): void {
    const pin = this.#lmdb.useReadTransaction();
    try {
      const metas = readMetas(this.#dataFd);
      this.#prepare();
      this.#sync.now();
      fsyncSync(this.#save(turn, metas));
      this.#keep(pin);
    } catch (error) {
      this.#keepInDoubt(pin);
      throw error;
    }
  }

  /**
   * Makes one of the last committed turn, while later turns go on.
   * @returns resolved when a power cut cannot take away that turn any more
   * @throws Error the disk's: there is none but those before
   */
  async make(turn: number): Promise<void> {
    const pin = this.#lmdb.useReadTransaction();
    this.#isMaking = true;
    try {
      const metas = readMetas(this.#dataFd);
      this.#prepare();
      await this.#sync.later();
      await fsyncLater(this.#save(turn, metas));
      this.#keep(pin);
    } catch (error) {
      this.#keepInDoubt(pin);
      throw error;
    } finally {
      this.#isMaking = false;
    }
  }

  /** Whether pages are not used again because of one that counts, or may. */
  get isHolding(): boolean {
    return this.#pin !== undefined || this.#isMaking;
  }

  /** None counts any more, and their pages may be used again. */
  discard(): void {
    if (this.#isEmpty) return;
    for (const fd of this.#slots) {
      // Not cut off: what they are overwritten with later needs no room then.
      writeSync(fd, Buffer.alloc(LENGTH), 0, LENGTH, 0);
      fsyncSync(fd);
    }
    this.#isEmpty = true;
    this.#pin?.done();
    this.#pin = undefined;
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
    this.#isEmpty = false;
    writeSync(fd, bytes, 0, LENGTH, 0);
    return fd;
  }

  #prepare(): void {
    this.#beforehand();
    if (!this.#isListed) syncDirectory(this.#directory);
  }

  /** It may be on the disk all the same. What an older one holds back is enough for it. */
  #keepInDoubt(pin: ReadTransaction): void {
    if (this.#pin === undefined) this.#pin = pin;
    else pin.done();
  }

  /** Only now is the other slot the one to be written: until then it has the newest that is on the disk for certain. */
  #keep(pin: ReadTransaction): void {
    this.#nextSlot = 1 - this.#nextSlot;
    this.#isListed = true;
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
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
