import type { RestorePoint } from './restore-point.ts';
import { StoreError } from './store-error.ts';
import type { Standing } from './witness.ts';

const REMEDY =
  'holdfast mount --accept-rollback ends its connections and keeps its listeners and names';

/**
 * Why a store may not be resumed by what its witness knows, or undefined if it may. After a death of the host only those turns
 * are put back that had reached the disk, and from a snapshot no connection is resumed, however old it is.
 */
export function rollback(
  directory: string,
  from: RestorePoint['from'],
  store: Pick<Standing, 'lineage' | 'turn'>,
  witness: { readonly path: string; readonly standing: Standing | undefined },
): StoreError | undefined {
  if (from !== 'last turn' && from !== 'checkpoint') return undefined;
  const { path, standing } = witness;
  if (standing === undefined) {
    // Stores were made before there were witnesses.
    if (store.lineage === 0) return undefined;
    return new StoreError(
      `nobody knows whether the store ${directory} is as it was last left: ${path} is missing or damaged; copy it along with the store, or ${REMEDY}`,
    );
  }
  if (store.lineage !== 0 && store.lineage !== standing.lineage)
    return new StoreError(
      `the store ${directory} is not the one that ${path} knows: it is another, or was copied back from before a rollback; ${REMEDY}`,
    );
  const known = from === 'checkpoint' ? standing.synced : standing.turn;
  if (store.turn < known)
    return new StoreError(
      `the store ${directory} is older than what its peers were last promised: it is at turn ${store.turn}, and ${path} knows of turn ${known}, so it was copied back; ${REMEDY}`,
    );
  return undefined;
}
