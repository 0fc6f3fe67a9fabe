/** What the tree keeps beside the connections themselves. */
export const RECORD_KINDS = ['node', 'handle', 'dialed'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Whoever keeps the tree's records: staged with the turn, durable before its outputs leave. */
export interface Records {
  put(kind: RecordKind, id: number, value: Uint8Array): void;
  delete(kind: RecordKind, id: number): void;
}
