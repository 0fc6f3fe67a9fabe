import type { Table } from '../../persist/table.ts';

/** The part of the journal that the protocol's own records are written through. */
export interface Stage {
  /** @param value stays unchanged until the turn is committed */
  put(table: Table, id: number, index: number, value: Uint8Array): void;
  delete(table: Table, id: number, index: number): void;
}
