import type { Table } from '../persist/table.ts';

/** The part of the journal that a driver's own records are written through. */
export interface Stage {
  /** The turn that is staged. */
  readonly turn: number;
  /** @param value stays unchanged until the turn is committed */
  put(table: Table, id: number, index: number, value: Uint8Array): void;
  delete(table: Table, id: number, index: number): void;
}
