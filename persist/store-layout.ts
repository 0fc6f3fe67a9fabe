import type { FieldNames } from '../tcp/record.ts';
import { CONNECTIONS, demandKnown, UDP_SOCKETS } from './connection-fields.ts';
import { LAYOUT_VERSION } from './layout.ts';
import { StoreError } from './store-error.ts';
import { otherLayout } from './turn-file.ts';
import { canUpgrade } from './upgrade.ts';

/** How a program writes a store. Programs tell each other. */
export interface StoreLayout {
  readonly version: number;
  readonly connections: FieldNames;
  readonly udpSockets: FieldNames;
}

/** Of this program. */
export const STORE_LAYOUT: StoreLayout = {
  version: LAYOUT_VERSION,
  connections: CONNECTIONS.fields,
  udpSockets: UDP_SOCKETS.fields,
};

/** Whether what one writes the other finds as its own. */
export function isSameLayout(a: StoreLayout, b: StoreLayout): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * @param store where what another program has written is
 * @throws StoreError when there is no way from its layout to this program's
 */
export function demandReadable(store: string, layout: StoreLayout): void {
  const { version, connections, udpSockets } = layout;
  if (!canUpgrade(version)) throw new StoreError(otherLayout(store, version));
  demandKnown(connections, CONNECTIONS);
  demandKnown(udpSockets, UDP_SOCKETS);
}
