import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { temporaryDirectory } from './temporary-directory.ts';

/** A disk of `$2`, in a mount namespace of its own. */
const ON_SMALL_DISK = 'mount -t tmpfs -o size="$2" tmpfs "$1" && exec "$3" --import tsx "$4" "$1"';

function onSmallDisk(t: Test, size: string, script: string): void {
  const disk = temporaryDirectory(t);
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', ON_SMALL_DISK, 'sh', disk, size, process.execPath, path],
    { encoding: 'utf8' },
  );
  // lmdb says it by itself, wherever it writes to.
  t.match(stderr, /^(Write error: No space left on device[^\n]*)?$/);
  t.equal(status, 0);
  t.end();
}

t.test('what the disk has no room for stays staged, and is committed when there is room', (t) => {
  onSmallDisk(t, '2m', './fill.ts');
});

t.test('a full disk still takes small records, out of the reserve', (t) => {
  onSmallDisk(t, '8m', './use-reserve.ts');
});
