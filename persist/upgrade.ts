import {
  CONNECTIONS,
  carryOverConnections,
  describeFields,
  UDP_SOCKETS,
} from './connection-fields.ts';
import { FIELDS_OF_LAYOUT_3 } from './fields-of-layout-3.ts';
import { LAYOUT_VERSION } from './layout.ts';
import type { RecordStore } from './record-store.ts';

/**
 * What makes records of one layout version into records of the next, by the version they come from. New fields of a
 * connection for which zero is right need no version and no step.
 */
const STEPS: ReadonlyMap<number, (store: RecordStore) => void> = new Map([
  // From 4 on a store says by which fields its connections are written.
  [3, (store: RecordStore) => describeFields(store, CONNECTIONS, FIELDS_OF_LAYOUT_3)],
  // From 5 on there may be addresses that are about to be dialed.
  [4, () => {}],
  // From 6 on there may be UDP sockets.
  [5, (store: RecordStore) => describeFields(store, UDP_SOCKETS, UDP_SOCKETS.fields)],
  // From 7 on there may be turns that data.mdb does not have.
  [6, () => {}],
]);

/** Whether there is a way from `version` to this program's. */
export function canUpgrade(version: number): boolean {
  for (let at = version; at !== LAYOUT_VERSION; at++) if (!STEPS.has(at)) return false;
  return true;
}

/**
 * Brings the records of a store, in which nothing else happens meanwhile, to the layout of this program. The facts are
 * not its matter.
 * @param version from which `canUpgrade`
 * @throws StoreError RecordError when they are not what they should be
 */
export function upgrade(store: RecordStore, version: number): void {
  for (let at = version; at < LAYOUT_VERSION; at++) STEPS.get(at)!(store);
  carryOverConnections(store);
}
