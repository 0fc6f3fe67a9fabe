import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryDirectory } from './temporary-directory.ts';

const FILL = fileURLToPath(new URL('./fill.ts', import.meta.url));
/** A disk of 2 MiB, in a mount namespace of its own. */
const ON_SMALL_DISK = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" --import tsx "$3" "$1"';

t.test('what the disk has no room for stays staged, and is committed when there is room', (t) => {
  const disk = temporaryDirectory(t);
  const { status, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', ON_SMALL_DISK, 'sh', disk, process.execPath, FILL],
    { encoding: 'utf8' },
  );
  t.equal(stderr, '');
  t.equal(status, 0);
  t.end();
});
