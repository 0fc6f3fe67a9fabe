import { getSystemErrorMap } from 'node:util';

/** What strerror(3) says of an error that Node has made of an errno. */
export function errorText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  const [, text] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return text ?? message;
}
