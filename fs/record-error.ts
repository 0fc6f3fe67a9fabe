/** A record of the tree that no version of it has written: the store is damaged, or of another layout. */
export class RecordError extends Error {
  override name = 'RecordError';
}
