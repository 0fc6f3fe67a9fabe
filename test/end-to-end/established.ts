import type { Socket } from 'node:net';
import type { Test } from 'tap';
import { formatEndpoint } from '../../tcp/address.ts';
import { type Daemon, HOST } from './daemon.ts';
import { accept, listen } from './peer.ts';

/**
 * Makes a connection `tcp/NAME` to this process, and resolves with its other end, paused.
 * @param host the address here
 */
export async function established(
  t: Test,
  daemon: Daemon,
  name: string,
  port: number,
  host = HOST,
): Promise<Socket> {
  const server = await listen(host, port);
  const [socket, connected] = await Promise.all([
    accept(server),
    daemon.run(
      `mkdir net/tcp/${name} && echo ${formatEndpoint({ address: host, port })} > net/tcp/${name}/connect`,
    ),
  ]);
  server.close();
  t.teardown(() => socket.destroy());
  t.same(connected, { status: 0, stdout: '', stderr: '' });
  return socket;
}
