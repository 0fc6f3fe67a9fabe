import { ErrnoError } from '../tcp/errno.ts';

/** NAME_MAX of linux/limits.h, in bytes. */
const LONGEST = 255;

/** Names of files in `tcp/`, also of the ones that are yet to come. */
const RESERVED: ReadonlySet<string> = new Set([
  'clone',
  'new_socket',
  'connections',
  'listeners',
  'stats',
]);

const DIGITS = /^[0-9]+$/;

const encoder = new TextEncoder();

/**
 * Whether a connection may be given `name`. Numbers are for the connections that nobody named: each has its id.
 * @throws ErrnoError EEXIST EINVAL ENAMETOOLONG
 */
export function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..') throw new ErrnoError('EINVAL');
  if (name.includes('/') || name.includes('\0')) throw new ErrnoError('EINVAL');
  // What was not UTF-8 has become U+FFFD on its way here.
  if (!name.isWellFormed() || name.includes('\ufffd')) throw new ErrnoError('EINVAL');
  if (RESERVED.has(name)) throw new ErrnoError('EEXIST');
  if (DIGITS.test(name)) throw new ErrnoError('EINVAL');
  checkLength(name);
}

/**
 * Refuses names that no file can have, also where one is only looked for: path_resolution(7).
 * @throws ErrnoError ENAMETOOLONG
 */
export function checkLength(name: string): void {
  if (encoder.encode(name).length > LONGEST) throw new ErrnoError('ENAMETOOLONG');
}
