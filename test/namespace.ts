/**
 * Runs the test file that imports this, first of all, inside namespaces of its own: mounts, interfaces and processes made in it are
 * gone with it, whatever happens.
 */
import { execFileSync, spawnSync } from 'node:child_process';

const INSIDE = 'HOLDFAST_TEST_NAMESPACE';

if (process.env[INSIDE] === undefined) {
  const asRoot = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const { status, error } = spawnSync(
    // When this process is killed, say by a timeout, the kernel kills unshare, and unshare all that is inside.
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', ...asRoot],
      ...['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...[process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    ],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
  );
  if (error) throw error;
  process.exit(status ?? 1);
}

execFileSync('ip', ['link', 'set', 'dev', 'lo', 'up']);
