/**
 * The file in the store's directory that its daemon holds an exclusive flock(2) on, for as long as it lives. The lock is
 * taken before anything else in the store is looked at; what the file says is for the message to whoever comes second.
 */
export const LOCK_FILE = 'lock';
