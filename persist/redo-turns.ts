import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from './change.ts';
import { REDO_FILE } from './layout.ts';
import { changesOf, type PlacedTurn, turnAt } from './redo-turn.ts';

/**
 * The turns that a redo log begins with, one after the other. What follows them is of no meaning: turns that LMDB has, or one in
 * the middle of which the process died.
 */
export class RedoTurns {
  readonly #bytes: Buffer;
  readonly #turns: readonly PlacedTurn[];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#turns = [...consecutive(bytes)];
  }

  /** Those in the log of a store; none when it has no log. */
  static read(directory: string): RedoTurns {
    try {
      return new RedoTurns(readFileSync(join(directory, REDO_FILE)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new RedoTurns(Buffer.alloc(0));
    }
  }

  /** How far the log leads from `turn`, which LMDB has: to that itself, if it has no turn that follows. */
  lastAfter(turn: number): number {
    return this.#after(turn).at(-1)?.turn ?? turn;
  }

  /**
   * What the turns after `turn` have changed, in the order in which they did.
   * @throws StoreError when one holds something else
   */
  *changesAfter(turn: number): Generator<Change<Uint8Array>> {
    for (const placed of this.#after(turn)) yield* changesOf(this.#bytes, placed);
  }

  /** @throws StoreError when one of the turns after `turn` holds something else */
  check(turn: number): void {
    for (const _ of this.changesAfter(turn));
  }

  /** A log that goes on only later leads nowhere. */
  #after(turn: number): readonly PlacedTurn[] {
    const first = this.#turns.findIndex((placed) => placed.turn === turn + 1);
    return first === -1 ? [] : this.#turns.slice(first);
  }
}

function* consecutive(bytes: Buffer): Generator<PlacedTurn> {
  let next: number | undefined;
  for (let at = 0; ; ) {
    const placed = turnAt(bytes, at);
    if (placed === undefined || (next !== undefined && placed.turn !== next)) return;
    yield placed;
    at = placed.end;
    next = placed.turn + 1;
  }
}
