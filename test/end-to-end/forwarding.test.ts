// Reaching beyond the host, as README shows it: this namespace is the host, the second is its router, the third is far away.
import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Daemon, STACK } from './daemon.ts';
import { Shell } from './shell.ts';

/** The host's address at its router, which README knows too. */
const HOST_OUTSIDE = '198.51.100.2';
const FAR = '203.0.113.2';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** The commands that README gives behind a phrase, for a host that reaches others by `eth0`. */
function commandsBehind(phrase: string): string {
  const [, block] = README.split(phrase)[1]?.match(/^[^`]*```sh\n([\s\S]*?)```/) ?? [];
  if (block === undefined) throw new Error(`README has no commands behind "${phrase}"`);
  return block;
}

/** Another network namespace. */
class Elsewhere {
  readonly pid: number;
  readonly #holder: Shell;
  readonly #shells: Shell[] = [];

  private constructor(holder: Shell) {
    this.#holder = holder;
    this.pid = holder.pid;
  }

  static async make(t: Test): Promise<Elsewhere> {
    const holder = new Shell('echo made; exec sleep infinity', '/', ['unshare', '--net']);
    const elsewhere = new Elsewhere(holder);
    t.teardown(() => elsewhere.#remove());
    await holder.printed(/^made$/m);
    return elsewhere;
  }

  shell(script: string): Shell {
    const prefix = ['nsenter', '--target', `${this.pid}`, '--net'];
    const shell = new Shell(script, '/', prefix);
    this.#shells.push(shell);
    return shell;
  }

  async #remove(): Promise<void> {
    for (const shell of [...this.#shells, this.#holder]) shell.kill();
    await Promise.all(this.#shells.map((shell) => shell.ended));
  }
}

/** Says who has called at port 9000, one after the other, and `welcome` to each. */
const SERVER = `exec python3 -c '
import socket
server = socket.create_server(("", 9000))
print("listening", flush=True)
while True:
    caller, address = server.accept()
    print(address[0], flush=True)
    caller.sendall(b"welcome")
    print(caller.recv(100).decode(), flush=True)
    caller.close()
'`;

const quiet = { status: 0, stderr: '' };

t.test('beyond the host', async (t) => {
  const daemon = await Daemon.start(t);
  const here = (script: string) => void execFileSync('bash', ['-ec', script]);
  const router = await Elsewhere.make(t);
  const far = await Elsewhere.make(t);
  here(`
    ip link add eth0 type veth peer name near netns ${router.pid}
    ip address add ${HOST_OUTSIDE}/24 dev eth0
    ip link set eth0 up
  `);
  t.hasStrict(
    await router.shell(`
      ip address add 198.51.100.1/24 dev near && ip link set near up
      ip link add away type veth peer name eth0 netns ${far.pid}
      ip address add 203.0.113.1/24 dev away && ip link set away up
      sysctl -qw net.ipv4.ip_forward=1
    `).ended,
    quiet,
  );
  t.hasStrict(
    await far.shell(`
      ip address add ${FAR}/24 dev eth0 && ip link set eth0 up
      ip route add default via 203.0.113.1
    `).ended,
    quiet,
  );
  here('ip route add default via 198.51.100.1');
  const server = far.shell(SERVER);
  await server.printed(/^listening$/m);

  /** Calls the server from the mount, which has seen `address` then. The engine dies in the middle. */
  const call = async (t: Test, address: string, word: string) => {
    t.hasStrict(
      await daemon.run(`mkdir net/tcp/out && echo ${FAR}:9000 > net/tcp/out/connect`),
      quiet,
    );
    await daemon.killEngine();
    const { stdout } = await daemon.run(`
      head -c 7 net/tcp/out/data; echo ${word} > net/tcp/out/data; rmdir net/tcp/out
    `);
    t.equal(stdout, 'welcome');
    await server.printed(new RegExp(`^${address.replaceAll('.', '\\.')}\\n${word}$`, 'm'));
  };

  /** Calls the mount's port 8080 at `address` from far away. */
  const beCalled = async (t: Test, address: string) => {
    const caller = far.shell(`exec 3<>/dev/tcp/${address}/8080; echo hello >&3; cat <&3`);
    const { stdout } = await daemon.run(`
      name=$(cat net/tcp/server/accept); read -r line < net/tcp/$name/data
      remote=$(cat net/tcp/$name/remote); echo "$line from \${remote%:*}"
      echo welcome > net/tcp/$name/data; rmdir net/tcp/$name
    `);
    t.equal(stdout, `hello from ${FAR}\n`);
    t.same(await caller.ended, { ...quiet, stdout: 'welcome\n' });
  };

  await daemon.run('mkdir net/tcp/server && echo :8080 > net/tcp/server/listen');

  await t.test('out, masqueraded', async (t) => {
    here(commandsBehind("with the host's own address:"));
    await call(t, HOST_OUTSIDE, 'masqueraded');
  });

  await t.test('in, to a port of the host', async (t) => {
    here(commandsBehind('at a port of the host:'));
    await beCalled(t, HOST_OUTSIDE);
  });

  await t.test('routed', async (t) => {
    here('nft delete table ip holdfast; sysctl -qw net.ipv4.ip_forward=0');
    here(commandsBehind('forwards packets'));
    t.hasStrict(await router.shell(commandsBehind('the way to the tree')).ended, quiet);
    await call(t, STACK, 'routed');
    await beCalled(t, STACK);
  });
});
