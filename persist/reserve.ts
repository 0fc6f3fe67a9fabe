import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RESERVE_FILE } from './layout.ts';

/** Bytes of room that are kept, if nobody says otherwise. */
export const RESERVE_LENGTH = 16 * 2 ** 20;

const PIECE = 2 ** 20;

/**
 * Room on the disk, taken while there is some and given back when there is none: enough for the small records by which a
 * full store says no, takes in what peers were told they may send, and lets programs read what there is.
 */
export class Reserve {
  readonly #fd: number;
  readonly #length: number;
  #isHeld = false;

  /** @param length in bytes */
  constructor(directory: string, length: number) {
    this.#fd = openSync(join(directory, RESERVE_FILE), 'a+', 0o600);
    this.#length = length;
    this.renew();
  }

  /** Whether the room is kept. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Gives the room back.
   * @returns false when it had been given back before
   */
  release(): boolean {
    if (!this.#isHeld) return false;
    ftruncateSync(this.#fd);
    this.#isHeld = false;
    return true;
  }

  /**
   * Takes the room, if there is as much.
   * @returns whether it is kept now
   */
  renew(): boolean {
    if (this.#isHeld) return true;
    try {
      this.#fill();
      this.#isHeld = true;
    } catch {
      ftruncateSync(this.#fd);
    }
    return this.#isHeld;
  }

  /** With what no file system can make smaller. */
  #fill(): void {
    let missing = this.#length - fstatSync(this.#fd).size;
    if (missing <= 0) return;
    const piece = randomBytes(Math.min(PIECE, missing));
    while (missing > 0) missing -= writeSync(this.#fd, piece, 0, Math.min(piece.length, missing));
  }

  close(): void {
    closeSync(this.#fd);
  }
}
