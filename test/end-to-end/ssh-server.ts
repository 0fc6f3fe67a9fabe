import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './condition.ts';
import { type Daemon, HOST } from './daemon.ts';

/**
 * An SSH server of the host's. Whoever has `client_key`, in the daemon's directory, may log in as root.
 */
export async function startSshServer(daemon: Daemon, port: number): Promise<void> {
  const home = daemon.directory;
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  // The server knows keys by the home directory alone. This mount is seen in the test's own namespace only.
  writeFileSync(join(home, 'passwd'), `root:x:0:0:root:${home}:/bin/bash\n`);
  const { status, stderr } = await daemon.run(`
    set -e
    ssh-keygen -q -t ed25519 -N '' -f client_key
    cp client_key.pub .ssh/authorized_keys
    dropbearkey -t ed25519 -f host_key > key.log 2>&1
    mount --bind passwd /etc/passwd
  `);
  if (status !== 0) throw new Error(`no keys for an SSH server: ${stderr}`);
  daemon.shell(`exec dropbear -F -E -s -r host_key -p ${HOST}:${port} -P dropbear.pid 2> ssh.log`);
  await until(async () => (await daemon.run(`ss -Hltn sport = :${port}`)).stdout !== '');
}
