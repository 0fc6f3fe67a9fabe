import { ROOT } from '../../fs/node-id.ts';
import type { Tree } from '../../fs/tree.ts';
import { ErrnoError } from '../../tcp/errno.ts';

/** What bytes that are not UTF-8 have become on their way through fuse-native. */
const REPLACEMENT = '\ufffd';

/**
 * The node that a path leads to.
 * @param path absolute within the mount
 * @throws ErrnoError ENOENT ENOTDIR ESTALE
 */
export function nodeAt(tree: Pick<Tree, 'lookup'>, path: string, now: number): number {
  let node = ROOT;
  for (const name of path.split('/')) if (name !== '') node = tree.lookup(node, name, now).node;
  return node;
}

/** The path of the directory that `path` is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/**
 * The last name of a path.
 * @throws ErrnoError EINVAL when it may not be the one that was given
 */
export function nameOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.includes(REPLACEMENT)) throw new ErrnoError('EINVAL');
  return name;
}
