/** Why a store cannot be used: one line for the user that says what is wrong, where, and what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** What to do about a store that will not do. */
export const REMEDY =
  'holdfast mount --after-crash goes on from what was last saved of it, or move the store away and start with an empty one: its connections are lost';
