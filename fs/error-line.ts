import { errnoMessage, errnoName } from '../tcp/errno.ts';

/**
 * An error as the files tell it: `ECONNRESET Connection reset by peer`; nothing for 0.
 * @param error an errno number of Linux
 */
export function errorLine(error: number): string {
  if (error === 0) return '';
  const name = errnoName(error);
  return name === undefined ? `errno ${error}` : `${name} ${errnoMessage(name)}`;
}
