import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Where the far peer is, and the port it listens at. */
export const FAR = '10.8.0.2';
export const FAR6 = 'fd00:8::2';
export const FAR_PORT = 9000;

/** Prints the hash of what each connection brings, one after the other. */
const PEER = `
import hashlib, socket
server = socket.create_server(('::', ${FAR_PORT}), family=socket.AF_INET6, dualstack_ipv6=True)
print('listening', flush=True)
while True:
    connection, _ = server.accept()
    hash = hashlib.sha256()
    while piece := connection.recv(65536):
        hash.update(piece)
    print(hash.hexdigest(), flush=True)
`;

/** What a test needs to clean up after itself; tap's own. */
interface Teardown {
  teardown(handler: () => void): unknown;
}

/**
 * A TCP of the kernel's in a network namespace of its own. This one is the router before it, and the link between them carries
 * packets of `mtu` bytes there, though the peer does not know.
 * @returns gives the SHA-256 of what its next connection brings
 */
export async function farPeer(t: Teardown, mtu: number): Promise<() => Promise<string>> {
  const peer = spawn('unshare', ['--net', 'python3', '-c', PEER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => peer.kill('SIGKILL'));
  const lines = createInterface(peer.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const here = (words: string) => void execFileSync('ip', words.split(' '));
  const there = (words: string) =>
    execFileSync('nsenter', ['--target', `${peer.pid}`, '--net', 'ip', ...words.split(' ')]);
  here('link add near type veth peer name far');
  here(`link set far netns ${peer.pid}`);
  here('address add 10.8.0.1/24 dev near');
  here('address add fd00:8::1/64 dev near nodad');
  here(`link set near mtu ${mtu} up`);
  there(`address add ${FAR}/24 dev far`);
  there(`address add ${FAR6}/64 dev far nodad`);
  there('link set far up');
  there('route add default via 10.8.0.1');
  there('route add default via fd00:8::1');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1');
  return async () => (await lines.next()).value as string;
}
