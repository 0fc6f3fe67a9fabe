import type { Server, Socket } from 'node:net';
import type { Test } from 'tap';
import { HOST } from './daemon.ts';
import { listen } from './peer.ts';

/** Sends back what comes, to whoever comes. */
export async function echoServer(t: Test, port: number): Promise<Server> {
  const server = await listen(HOST, port);
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
    // The connection outlives the mount.
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => server.close());
  return server;
}
