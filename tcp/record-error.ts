/** A record that this version cannot have written: the store is damaged, or of another layout. */
export class RecordError extends Error {
  override name = 'RecordError';
}
