import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import t from 'tap';
import { parseMountOptions } from '../../mount/mount-options.ts';

t.test('defaults', async (t) => {
  t.same(parseMountOptions([]), {
    daemon: false,
    config: {
      driver: 'direct',
      allowOther: true,
      mountpoint: resolve('net'),
      store: resolve('net.store'),
      address: '10.7.0.2',
      prefix: 24,
      hostAddress: '10.7.0.1/24',
      tun: 'holdfast0',
      mtu: 1500,
      offload: true,
      memory: Math.floor(totalmem() / 8),
      acceptRollback: false,
      afterCrash: false,
      durability: 'process',
      logLevel: 'warn',
    },
  });
});

t.test('in the background the log needs a place that stays', async (t) => {
  const { daemon, config } = parseMountOptions(['--daemon', '/m']);
  t.ok(daemon);
  t.equal(config.logFile, '/m.log');
  t.equal(parseMountOptions(['--daemon', '/m', '--log-file', '/l']).config.logFile, '/l');
});

t.test('sizes, with a unit or in bytes', async (t) => {
  const sizes = { '1048576': 2 ** 20, '64M': 2 ** 26, '16G': 2 ** 34, '17179869184': 2 ** 34 };
  for (const [text, memory] of Object.entries(sizes)) {
    t.match(parseMountOptions(['/m', '--memory', text]).config, { memory });
  }
});

t.test('each option', async (t) => {
  const { config } = parseMountOptions(
    '/m --driver fuse-native --store /s --address 10.9.0.2/16 --host-address 10.9.0.1/16 --tun t1 --mtu 9000 --resolver FD00:7::0:1 --offload off --memory 64M --user-connections 10 --user-buffer-bytes 2M --durability power --log-level info'.split(
      ' ',
    ),
  );
  t.match(config, {
    driver: 'fuse-native',
    allowOther: false,
    mountpoint: '/m',
    store: '/s',
    address: '10.9.0.2',
    prefix: 16,
    hostAddress: '10.9.0.1/16',
    tun: 't1',
    mtu: 9000,
    offload: false,
    resolver: 'fd00:7::1',
    memory: 64 * 1024 * 1024,
    userConnections: 10,
    userBufferBytes: 2 * 1024 * 1024,
    durability: 'power',
    logLevel: 'info',
  });
});

t.test('others can be kept out', async (t) => {
  t.match(parseMountOptions(['--allow-other', 'off']).config, { allowOther: false });
});

t.test('IPv6 is there when both of its ends are given', async (t) => {
  const line = '--address6 fd00:7:0::2/64 --host-address6 fd00:7::1/64'.split(' ');
  const { config } = parseMountOptions(line);
  t.match(config, { address6: 'fd00:7::2', hostAddress6: 'fd00:7::1/64' });
});

t.test('what makes no sense is refused in one line that names it', async (t) => {
  const wrong: [string, RegExp][] = [
    ['a b', /one mountpoint only, not b/],
    ['--frobnicate', /frobnicate/],
    ['--resolver ns.example.com', /--resolver is the address of a name server/],
    ['--memory 1048575', /--memory is a number of bytes/],
    ['--memory 1T', /--memory/],
    ['--memory 9007199254740992', /--memory/],
    ['--memory 8388608G', /--memory/],
    ['--user-connections 0', /--user-connections is a number/],
    ['--user-buffer-bytes 1', /--user-buffer-bytes is a number of bytes/],
    ['--memory -1G', /--memory/],
    ['--memory lots', /--memory/],
    ['--offload yes', /--offload is one of on, off, not yes/],
    ['--allow-other yes', /--allow-other is one of on, off, not yes/],
    ['--driver fuse-native --allow-other on', /cannot tell users apart/],
    ['--mtu 12', /--mtu is a number from 576/],
    ['--mtu 15e2', /--mtu/],
    ['--mtu 65536', /--mtu/],
    ['--address 10.7.0.2', /--address is an IPv4 address with a prefix/],
    ['--address 10.7.0.2/33', /--address/],
    ['--address fd00::2/64', /--address/],
    ['--host-address x/24', /--host-address/],
    ['--address 10.7.0.1/24', /two different addresses/],
    ['--address6 fd00:7::2/64', /given together/],
    ['--host-address6 fd00:7::1/64', /given together/],
    ['--address6 10.7.0.2/24 --host-address6 fd00:7::1/64', /--address6 is an IPv6 address/],
    ['--address6 fd00:7::1/64 --host-address6 fd00:7::1/64', /two different addresses/],
    [
      '--address6 fd00:7::2/64 --host-address6 fd00:7::1/64 --mtu 1279',
      /--mtu is a number from 1280/,
    ],
    ['--durability eternal', /--durability is one of process, power/],
    ['--log-level loud', /--log-level/],
    ['--tun a/b', /--tun/],
    ['--tun sixteen-letters-', /--tun/],
    ['/m --store /m/store', /inside the mountpoint/],
  ];
  for (const [line, message] of wrong) {
    t.throws(() => parseMountOptions(line.split(' ')), { name: 'UsageError', message }, line);
  }
});
