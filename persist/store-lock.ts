/**
 * The file in the store's directory that its daemon holds an exclusive flock(2) on, for as long as it lives. The lock is
 * taken before anything else in the store is looked at; what the file says is for the message to whoever comes second.
 */
export const LOCK_FILE = 'lock';

/** What the lock file says: the process id of the keeper. */
export function lockContent(keeperPid: number): string {
  return `${keeperPid}\n`;
}

/** The keeper's process id in the lock file, if it says one. */
export function lockHolder(content: string): number | undefined {
  return /^[1-9]\d*\n$/.test(content) ? Number(content) : undefined;
}
