import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { getU64, LAYOUT_VERSION, putU64, TURN_FILE, UNFINISHED_TURN_FILE } from './layout.ts';
import { REMEDY, StoreError } from './store-error.ts';
import { canUpgrade } from './upgrade.ts';

const MAGIC = Buffer.from('HOLDFAST', 'latin1');
const VERSION = 8;
const CHECKPOINT = 12;
const CLOSED = 13;
const DOUBTFUL = 14;
const TENTATIVE = 15;
const TURN = 16;
const BOOT_ID = 24;
const DATA_LENGTH = 40;
const CHECKSUM = 48;
const LENGTH = 52;

/**
 * The last committed turn, kept outside LMDB. An older state, be it an older data.mdb or the one that LMDB falls back
 * to when its newest meta page is damaged, does not agree with it.
 *
 * It is one small write after each commit: no death of the process can tear it, and what it says is at most one
 * turn behind.
 */
export class TurnFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #bytes = Buffer.alloc(LENGTH);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, LENGTH);

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /** A new one, of turn 0: nothing was committed yet. It is there all at once or not at all, also after a power cut. */
  static create(directory: string): TurnFile {
    const { O_RDWR, O_CREAT, O_TRUNC } = constants;
    const unfinished = join(directory, UNFINISHED_TURN_FILE);
    const path = join(directory, TURN_FILE);
    const file = new TurnFile(openSync(unfinished, O_RDWR | O_CREAT | O_TRUNC, 0o600), path);
    file.#bytes.set(MAGIC);
    file.#view.setUint32(VERSION, LAYOUT_VERSION);
    file.write(0);
    file.sync();
    renameSync(unfinished, path);
    return file;
  }

  /**
   * @param access of open(2)
   * @throws StoreError when it is damaged or of another layout version
   * @returns undefined when there is none
   */
  static open(directory: string, access: number = constants.O_RDWR): TurnFile | undefined {
    const path = join(directory, TURN_FILE);
    let fd: number;
    try {
      fd = openSync(path, access);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new StoreError(`cannot use the store ${directory}: ${(error as Error).message}`);
    }
    const file = new TurnFile(fd, path);
    try {
      file.#read();
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return file;
  }

  /** That of the last committed turn. */
  set layoutVersion(version: number) {
    this.#view.setUint32(VERSION, version);
  }

  get turn(): number {
    return getU64(this.#view, TURN);
  }

  /** There is a checkpoint: see checkpoint.ts. */
  get hasCheckpoint(): boolean {
    return this.#bytes[CHECKPOINT] === 1;
  }

  set hasCheckpoint(hasCheckpoint: boolean) {
    this.#bytes[CHECKPOINT] = hasCheckpoint ? 1 : 0;
  }

  /** Everything up to the turn had reached the disk, and nobody has used the store since. */
  get closed(): boolean {
    return this.#bytes[CLOSED] === 1;
  }

  set closed(closed: boolean) {
    this.#bytes[CLOSED] = closed ? 1 : 0;
  }

  /** A sync of data.mdb has begun in this boot of the host, and none has succeeded since: see data-sync.ts. */
  get isDoubtful(): boolean {
    return this.#bytes[DOUBTFUL] === 1;
  }

  set isDoubtful(isDoubtful: boolean) {
    this.#bytes[DOUBTFUL] = isDoubtful ? 1 : 0;
  }

  /** See `Journal.isTentative`. */
  get isTentative(): boolean {
    return this.#bytes[TENTATIVE] === 1;
  }

  set isTentative(isTentative: boolean) {
    this.#bytes[TENTATIVE] = isTentative ? 1 : 0;
  }

  /** The boot of the host in which the store was last used. */
  get bootId(): Uint8Array {
    return this.#bytes.subarray(BOOT_ID, DATA_LENGTH);
  }

  set bootId(bootId: Uint8Array) {
    this.#bytes.set(bootId, BOOT_ID);
  }

  /**
   * How many bytes data.mdb had when the store was last opened or closed. It never shrinks, so one that is shorter was cut,
   * be it only by pages that were free.
   */
  get dataLength(): number {
    return getU64(this.#view, DATA_LENGTH);
  }

  set dataLength(bytes: number) {
    putU64(this.#view, DATA_LENGTH, bytes);
  }

  /** Records `turn` as the last one, with what was set beside it. */
  write(turn: number): void {
    putU64(this.#view, TURN, turn);
    this.#view.setUint32(CHECKSUM, crc32(this.#bytes.subarray(0, CHECKSUM)));
    writeSync(this.#fd, this.#bytes, 0, LENGTH, 0);
  }

  /** Waits until what was written has reached the disk. */
  sync(): void {
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): void {
    const length = readSync(this.#fd, this.#bytes, 0, LENGTH, 0);
    if (!this.#bytes.subarray(0, MAGIC.length).equals(MAGIC))
      throw new StoreError(`${this.#path} is not Holdfast's; give --store another directory`);
    const version = this.#view.getUint32(VERSION);
    if (!canUpgrade(version)) throw new StoreError(otherLayout(this.#path, version));
    if (
      length !== LENGTH ||
      this.#view.getUint32(CHECKSUM) !== crc32(this.#bytes.subarray(0, CHECKSUM))
    )
      throw new StoreError(`${this.#path} is damaged; ${REMEDY}`);
  }
}

/** What to say of a store to whose layout version there is no way from. */
export function otherLayout(path: string, version: number): string {
  const age = version > LAYOUT_VERSION ? 'a newer' : 'too old a';
  return `${path} was written by ${age} Holdfast: it has layout version ${version}, this one is for version ${LAYOUT_VERSION}; use that one, or another --store`;
}
