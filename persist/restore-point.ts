import { readBootId } from './boot-id.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { RedoTurns } from './redo-turns.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import type { ExpectedState } from './store-check.ts';
import { REMEDY, StoreError } from './store-error.ts';
import type { TurnFile } from './turn-file.ts';

/** What of the store is to be used. */
export interface RestorePoint {
  /** `nothing`: of a store that is not new. */
  readonly from: 'new' | 'last turn' | 'checkpoint' | 'snapshot' | 'nothing';
  /** How data.mdb must be; without it, data.mdb is not to be looked at. */
  readonly expected?: ExpectedState;
  readonly snapshot?: Snapshot;
}

/**
 * What of the store is to be used, from what is known outside LMDB.
 *
 * While the host stays up, nothing is lost, and a daemon that died may have committed one turn more than it noted. When
 * the host went down with the store in use, data.mdb may hold an older state that looks intact, or half of this one and
 * half of that. For certain there is only what was saved and synced: the newest checkpoint or snapshot, or nothing,
 * if there was no time yet.
 * @param afterCrash whether to use only that, because a disk can go down alone, its host staying up
 * @throws StoreError when it is damaged
 */
export function restorePoint(
  directory: string,
  turnFile: TurnFile,
  afterCrash = false,
): RestorePoint {
  const { turn, dataLength: leastLength } = turnFile;
  // One that was never synced since the first commit says that there was none.
  if (turn === 0 && !isAnythingSaved(directory)) return { from: 'new' };
  if (!afterCrash && (turnFile.closed || isOfThisBoot(turnFile))) {
    const lastTurn = turnFile.closed ? turn : turn + 1;
    const redo = RedoTurns.read(directory);
    return { from: 'last turn', expected: { firstTurn: turn, lastTurn, leastLength, redo } };
  }
  const checkpoint = newestCheckpoint(directory);
  const snapshot = readSnapshot(directory);
  if (checkpoint !== undefined && checkpoint.turn >= (snapshot?.turn ?? 0)) {
    const { metas } = checkpoint;
    const [firstTurn, lastTurn] = [checkpoint.turn, checkpoint.turn];
    // The host's death may take away what the file had grown by since the checkpoint.
    return { from: 'checkpoint', expected: { firstTurn, lastTurn, leastLength: 0, metas } };
  }
  if (snapshot !== undefined) return { from: 'snapshot', snapshot };
  if (turnFile.hasCheckpoint)
    throw new StoreError(`the store is damaged: ${directory} has no checkpoint; ${REMEDY}`);
  return { from: 'nothing' };
}

function isOfThisBoot({ bootId }: TurnFile): boolean {
  return Buffer.compare(bootId, readBootId()) === 0;
}

function isAnythingSaved(directory: string): boolean {
  return newestCheckpoint(directory) !== undefined || readSnapshot(directory) !== undefined;
}
