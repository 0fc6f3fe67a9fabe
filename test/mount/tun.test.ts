import '../namespace.ts';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, readSync } from 'node:fs';
import t from 'tap';
import { HostError } from '../../mount/host-error.ts';
import { F_GETFD, F_GETFL, FD_CLOEXEC, fcntl } from '../../mount/system-calls.ts';
import {
  configureTun,
  forgetTun,
  openTap,
  openTun,
  removeTun,
  switchOn,
  tunExists,
} from '../../mount/tun.ts';

function addresses(name: string): string[] {
  const [link] = JSON.parse(
    execFileSync('ip', ['-json', 'address', 'show', 'scope', 'global', 'dev', name], {
      encoding: 'utf8',
    }),
  );
  // Addresses of another scope are there as empty objects.
  return link.addr_info
    .filter(({ local }: { local?: string }) => local !== undefined)
    .map(({ local, prefixlen }: { local: string; prefixlen: number }) => `${local}/${prefixlen}`);
}

function mtu(name: string): number {
  return JSON.parse(execFileSync('ip', ['-json', 'link', 'show', name], { encoding: 'utf8' }))[0]
    .mtu;
}

t.test('an interface is made, outlives its descriptor, and is used again', async (t) => {
  t.notOk(tunExists('holdfast0'));
  const first = openTun('holdfast0');
  t.ok(tunExists('holdfast0'));
  t.ok(fcntl(first, F_GETFD) & FD_CLOEXEC);
  t.ok(fcntl(first, F_GETFL) & 0o4000, 'O_NONBLOCK');
  configureTun('holdfast0', ['10.7.0.1/24'], 1400);
  closeSync(first);
  t.ok(tunExists('holdfast0'));
  const second = openTun('holdfast0');
  configureTun('holdfast0', ['10.7.0.1/24'], 1400);
  t.same(addresses('holdfast0'), ['10.7.0.1/24']);
  t.equal(mtu('holdfast0'), 1400);
  configureTun('holdfast0', ['10.8.0.1/16'], 9000);
  t.same(addresses('holdfast0'), ['10.8.0.1/16']);
  t.equal(mtu('holdfast0'), 9000);
  configureTun('holdfast0', ['10.8.0.1/16', 'fd00:7::1/64'], 9000);
  configureTun('holdfast0', ['10.8.0.1/16', 'fd00:7::1/64'], 9000);
  t.same(addresses('holdfast0'), ['10.8.0.1/16', 'fd00:7::1/64']);
  configureTun('holdfast0', ['10.8.0.1/16'], 9000);
  t.same(addresses('holdfast0'), ['10.8.0.1/16']);
  forgetTun(second);
  closeSync(second);
  t.notOk(tunExists('holdfast0'));
});

t.test('a packet comes with nothing before its header', async (t) => {
  const tun = openTun('holdfast0');
  t.teardown(() => {
    closeSync(tun);
    removeTun('holdfast0');
  });
  configureTun('holdfast0', ['10.7.0.1/24'], 1500);
  const ping = spawn('bash', ['-c', 'exec 3<>/dev/udp/10.7.0.2/9; echo hello >&3']);
  await new Promise((resolve) => ping.on('exit', resolve));
  const packet = Buffer.alloc(1500);
  for (;;) {
    const length = readSync(tun, packet);
    // The host may have said something in IPv6 first.
    if (packet[0] !== 0x45) continue;
    // RFC 791: version and header length, total length, protocol (17 is UDP), source, destination.
    t.equal(packet.readUInt16BE(2), length);
    t.equal(packet[9], 17);
    t.same([...packet.subarray(12, 20)], [10, 7, 0, 1, 10, 7, 0, 2]);
    t.equal(packet.toString('latin1', 28, length), 'hello\n');
    break;
  }
});

t.test('a frame comes with its Ethernet header', async (t) => {
  const tap = openTap('holdfast0');
  t.teardown(() => {
    closeSync(tap);
    removeTun('holdfast0');
  });
  switchOn('holdfast0', 1500);
  execFileSync('ip', ['address', 'add', '10.7.0.1/24', 'dev', 'holdfast0']);
  const ping = spawn('bash', ['-c', 'exec 3<>/dev/udp/10.7.0.2/9; echo hello >&3']);
  await new Promise((resolve) => ping.on('exit', resolve));
  const frame = Buffer.alloc(1600);
  do readSync(tap, frame);
  while (frame.readUInt16BE(12) !== 0x0806);
  t.equal(frame.toString('hex', 0, 6), 'ffffffffffff');
  t.same([...frame.subarray(38, 42)], [10, 7, 0, 2], 'who has the address is asked for');
});

t.test('what stands in the way is said', async (t) => {
  const tun = openTun('holdfast0');
  t.teardown(() => {
    closeSync(tun);
    removeTun('holdfast0');
  });
  t.throws(
    () => openTun('holdfast0'),
    new HostError('the interface holdfast0 is in use by another process; use another --tun'),
  );
  t.throws(() => openTap('holdfast0'), /is there, but it is no TAP .* use another --tap$/);
  t.throws(() => openTun('lo'), /no TUN that can be used; use another --tun/);
  t.throws(() => openTun('a-name-too-long-for-it'), /too long/);
  t.throws(
    () => configureTun('holdfast0', ['nonsense'], 1500),
    /"ip address add nonsense .*" failed: /,
  );
});
