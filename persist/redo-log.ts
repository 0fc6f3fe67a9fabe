import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Change, lastOfEach } from './change.ts';
import { REDO_FILE } from './layout.ts';
import { changesOf, lengthOfTurn, type PlacedTurn, putTurn } from './redo-turn.ts';

/** Bytes of the log; when they are used up, LMDB gets what is in them. */
const CAPACITY = 2 ** 20;
/** Bytes of the longest turn that is logged: of more, LMDB has less to write than the log and LMDB together. */
const LONGEST_TURN = 2 ** 14;

/**
 * The turns that LMDB does not have yet. A commit of LMDB writes several pages, however little has changed; a small turn is one
 * short write at the end of this file instead, and LMDB gets what many of them have made of their records in one
 * transaction. (ARIES calls that redo: C. Mohan and others, ACM TODS 17(1), 1992.)
 *
 * After the death of the process the page cache has it whole but for a turn in the middle of which the process died, which its checksum
 * shows, and of which nothing was visible. After that of the host it means nothing, like all of the store
 * that was not saved: see restore-point.ts.
 */
export class RedoLog {
  readonly #fd: number;
  readonly #isWritten: boolean;
  /** Undefined in those of an earlier engine that LMDB has yet to get; nothing is appended before. */
  #earlier: readonly Change<Uint8Array>[] | undefined;
  /** The file from its beginning on. */
  readonly #bytes = Buffer.alloc(CAPACITY);
  readonly #turns: PlacedTurn[] = [];

  /**
   * @param earlier what an earlier engine has logged and LMDB does not have
   * @param isWritten whether anything is written to the file
   */
  constructor(directory: string, earlier: Iterable<Change<Uint8Array>>, isWritten: boolean) {
    const { O_RDWR, O_CREAT } = constants;
    this.#fd = openSync(join(directory, REDO_FILE), O_RDWR | O_CREAT, 0o600);
    this.#earlier = [...earlier];
    this.#isWritten = isWritten;
  }

  /** LMDB has everything. */
  get isEmpty(): boolean {
    return this.#turns.length === 0 && (this.#earlier ?? []).length === 0;
  }

  /**
   * Logs a turn, if it is a small one and there is room for it, and the disk takes it.
   * @returns whether it is durable now; if not, the log is as before
   */
  append(turn: number, changes: readonly Change[]): boolean {
    if (this.#earlier !== undefined) return false;
    const last = this.#turns.at(-1);
    // It could not be noted outside the log then. With a turn in it twice, the log would end there.
    if (last?.turn === turn) return false;
    const start = last?.end ?? 0;
    const length = lengthOfTurn(changes);
    if (length > LONGEST_TURN || start + length > CAPACITY) return false;
    putTurn(this.#bytes, start, length, turn, changes);
    if (this.#isWritten && !this.#write(start, length)) return false;
    this.#turns.push({ turn, start, end: start + length });
    return true;
  }

  /** What LMDB does not have: the last change of each record. Values are views, until the log is cleared. */
  changes(): Iterable<Change<Uint8Array>> {
    return lastOfEach(this.#changes());
  }

  /** LMDB has all of it, and with that the log begins anew. */
  clear(): void {
    this.#earlier = undefined;
    this.#turns.length = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  *#changes(): Generator<Change<Uint8Array>> {
    yield* this.#earlier ?? [];
    for (const turn of this.#turns) yield* changesOf(this.#bytes, turn);
  }

  #write(start: number, length: number): boolean {
    try {
      return writeSync(this.#fd, this.#bytes, start, length, start) === length;
    } catch {
      // LMDB has the reserve, and words for what is wrong with the disk.
      return false;
    }
  }
}
