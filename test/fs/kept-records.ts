import type { RecordKind, Records } from '../../fs/records.ts';

/** Keeps the tree's records as a store would. */
export class KeptRecords implements Records {
  readonly #kept = {
    node: new Map<number, Uint8Array>(),
    handle: new Map<number, Uint8Array>(),
    dialed: new Map<number, Uint8Array>(),
  };

  put(kind: RecordKind, id: number, value: Uint8Array): void {
    this.#kept[kind].set(id, value.slice());
  }

  delete(kind: RecordKind, id: number): void {
    this.#kept[kind].delete(id);
  }

  of(kind: RecordKind): Map<number, Uint8Array> {
    return new Map(this.#kept[kind]);
  }
}
