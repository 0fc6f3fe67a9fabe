/** Why a store cannot be used: one line for the user that says what is wrong, where, and what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}
