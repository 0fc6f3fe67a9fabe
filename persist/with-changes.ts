import type { Change } from './change.ts';
import type { StoredRecord } from './record-store.ts';

/**
 * The records of a table as some changes will make them.
 * @param records in the order of (id, index)
 * @param changes of this table, at most one for each record
 */
export function* withChanges(
  records: Iterable<StoredRecord>,
  changes: Iterable<Change<Uint8Array>>,
): Generator<StoredRecord> {
  const sorted = [...changes].sort(byKey);
  let next = 0;
  for (const record of records) {
    while (next < sorted.length && byKey(sorted[next]!, record) < 0)
      yield* changed(sorted[next++]!);
    const isChanged = next < sorted.length && byKey(sorted[next]!, record) === 0;
    if (isChanged) yield* changed(sorted[next++]!);
    else yield record;
  }
  while (next < sorted.length) yield* changed(sorted[next++]!);
}

function* changed({ id, index, value }: Change<Uint8Array>): Generator<StoredRecord> {
  if (value !== undefined) yield { id, index, value: Uint8Array.from(value) };
}

interface Key {
  readonly id: number;
  readonly index: number;
}

function byKey(a: Key, b: Key): number {
  return a.id - b.id || a.index - b.index;
}
