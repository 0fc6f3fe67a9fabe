import '../namespace.ts';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOLDFAST, isMounted } from './daemon.ts';
import { hasEnded } from './processes.ts';

const NODE_HOLDFAST = `'${process.execPath}' '${HOLDFAST}'`;

t.test('--help and --version', async (t) => {
  const daemon = await Daemon.start(t);
  const help = await daemon.run(`${NODE_HOLDFAST} --help`);
  t.hasStrict(help, { status: 0, stderr: '' });
  t.match(help.stdout, /^usage: holdfast mount/);
  for (const option of [
    '--driver',
    '--store',
    '--address',
    '--host-address',
    '--tun',
    '--mtu',
    '--durability',
    '--daemon',
    '--log-level',
  ]) {
    t.match(help.stdout, new RegExp(`^ +${option}\\b`, 'm'));
  }
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { version: string };
  t.same(await daemon.run(`${NODE_HOLDFAST} --version`), {
    status: 0,
    stderr: '',
    stdout: `holdfast ${version}\n`,
  });
  t.equal((await daemon.status()).get('version'), version);
});

t.test('status says what the file status says', async (t) => {
  const daemon = await Daemon.start(t);
  const file = await daemon.status();
  const { status, stdout, stderr } = await daemon.run(`${NODE_HOLDFAST} status net`);
  t.same({ status, stderr }, { status: 0, stderr: '' });
  for (const key of ['engine_pid', 'keeper_pid', 'epoch', 'version']) {
    t.ok(file.get(key), key);
    t.match(stdout, new RegExp(`^${key} ${file.get(key)}$`, 'm'));
  }
});

t.test('what cannot be mounted is refused with one line', async (t) => {
  const daemon = await Daemon.start(t);
  mkdirSync(join(daemon.directory, 'other'));
  writeFileSync(join(daemon.directory, 'file'), '');

  const refusals: Record<string, string> = {
    'no command': '',
    'an unknown command': 'mont net',
    'an unknown option': 'mount other --colour',
    'an option without its value': 'mount other --mtu',
    'an MTU that is none': 'mount other --mtu small',
    'an address without a prefix': 'mount other --address 10.8.0.2',
    'an address that is none': 'mount other --address 10.8.0.256/24',
    'a driver that there is not': 'mount other --driver fast',
    'a durability that there is not': 'mount other --durability eternal',
    'a log level that there is not': 'mount other --log-level loud',
    'an interface name that is too long': 'mount other --tun a-name-of-sixteen',
    'a busy mountpoint': 'mount net --store another --tun another',
    'a store in use': 'mount other --store net.store --tun another',
    'an interface in use': 'mount other --tun holdfast0',
    'a file as a mountpoint': 'mount file --tun another',
    'a mountpoint that cannot be made': 'mount /proc/none/such --tun another',
    'a store that cannot be made': 'mount other --store /proc/none/such --tun another',
    'umount of what is not mounted': 'umount other',
    'umount without a mountpoint': 'umount',
    'status of what is not mounted': 'status other',
  };
  for (const [name, words] of Object.entries(refusals)) {
    await t.test(name, async (t) => {
      const { status, stdout, stderr } = await daemon.run(`timeout 20 ${NODE_HOLDFAST} ${words}`);
      t.match(stderr, /^holdfast: .+\n$/, 'one line on standard error');
      t.equal(stdout, '');
      t.not(status, 0);
      t.not(status, 124);
      t.notOk(await isMounted(join(daemon.directory, 'other')));
      t.notOk((await daemon.run('ls /sys/class/net')).stdout.includes('another'));
    });
  }
  t.match(await daemon.run('cat net/status'), { status: 0 }, 'the tree that was there still is');
});

t.test('a kernel that would end a mount for a long read', async (t) => {
  const daemon = Daemon.prepare(t);
  for (const setting of ['max_request_timeout', 'default_request_timeout']) {
    const path = `/proc/sys/fs/fuse/${setting}`;
    // Before Linux 6.15 there is nothing to refuse.
    if (!existsSync(path)) continue;
    const { status, stderr } = await daemon.run(`
      echo 60 > seconds
      unshare --mount bash -c '
        mount --bind seconds ${path} && exec timeout 20 ${NODE_HOLDFAST} mount net --tun another'
    `);
    t.match(stderr, new RegExp(`^holdfast: fs.fuse.${setting} is 60: .*\\n$`));
    t.equal(status, 1);
    t.notOk((await daemon.run('ls /sys/class/net')).stdout.includes('another'));
  }
});

t.test('without the right to mount or to make an interface', async (t) => {
  const daemon = await Daemon.start(t);
  // Root by name only: capabilities(7), the bounding set limits what execve(2) gives.
  const { status, stderr } = await daemon.run(
    `setpriv --bounding-set -all --inh-caps -all timeout 20 ${NODE_HOLDFAST} mount other --tun another`,
  );
  t.match(stderr, /^holdfast: .+\n$/);
  t.equal(status, 1);
  t.notOk(await isMounted(join(daemon.directory, 'other')));
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} unmounts, and the connections stay in the store`, async (t) => {
    const daemon = await Daemon.start(t);
    t.match(await daemon.run('mkdir net/tcp/kept'), { status: 0 });
    const keeper = await daemon.keeperPid();
    process.kill(keeper, signal);
    await until(() => hasEnded(keeper));
    t.notOk(await isMounted(daemon.mountpoint));
    await daemon.mount();
    t.match(await daemon.run('ls net/tcp'), { stdout: /^kept$/m });
  });
}

t.test('--daemon returns when the tree is ready', async (t) => {
  const daemon = await Daemon.start(t);
  t.match(await daemon.unmount(), { status: 0 });
  await daemon.run('rm -r net.store');
  const { status, stdout, stderr } = await daemon.run(`${NODE_HOLDFAST} mount net --daemon`);
  t.same({ status, stderr }, { status: 0, stderr: '' });
  t.match(stdout, /^holdfast: ready.*\n$/);
  t.match(await daemon.run('cat net/status'), { status: 0, stdout: /^engine_pid \d+$/m });
});

t.test('a dead mount is replaced', async (t) => {
  const daemon = await Daemon.start(t);
  await daemon.killBoth();
  t.match(await daemon.run('cat net/status'), { status: 1 });
  await daemon.mount();
  t.match(await daemon.run('cat net/status'), { status: 0 });
  const { stdout } = await daemon.run(`grep -c ' ${daemon.mountpoint} ' /proc/self/mountinfo`);
  t.equal(stdout, '1\n', 'one mount, not two on top of each other');
});
