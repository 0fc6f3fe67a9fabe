import '../namespace.ts';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mountFuse, negotiate, openFuse } from '../../mount/fuse/initialization.ts';
import {
  detach,
  findMount,
  parseMountInfo,
  unmount,
  waitUntilUnmounted,
} from '../../mount/mount-table.ts';
import { ToyEngine } from './toy-engine.ts';
import { ToyMount } from './toy-mount.ts';

t.test('a line of mountinfo', async (t) => {
  // The form of proc_pid_mountinfo(5), with and without optional fields.
  const text = [
    '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
    '40 36 0:52 / /a\\040place\\134 ro,nosuid,nodev shared:5 propagate_from:2 - fuse.holdfast /a\\011store rw',
    '41 36 0:53 / /b rw,nosuid,nodev - fuse.holdfast /c rw,user_id=0',
    'nonsense',
    '',
  ].join('\n');
  t.same(parseMountInfo(text), [
    { mountpoint: '/a place\\', source: '/a\tstore', minor: 52, readOnly: true },
    { mountpoint: '/b', source: '/c', minor: 53, readOnly: false },
  ]);
});

t.test('a mount is found, and gone when it is unmounted', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast table-'));
  const mountpoint = join(directory, 'a\tplace');
  mkdirSync(mountpoint);
  t.teardown(() => rmSync(directory, { recursive: true }));
  t.equal(findMount(mountpoint), undefined);
  const fuse = openFuse();
  mountFuse(fuse, mountpoint, { source: '/my store', allowOther: false });
  t.match(negotiate(fuse), { maxWrite: 1 << 20, maxPages: 256 });
  t.match(findMount(mountpoint), { mountpoint, source: '/my store', readOnly: false });
  unmount(mountpoint);
  t.equal(findMount(mountpoint), undefined);
  t.ok(await waitUntilUnmounted(mountpoint, 0));
  unmount(mountpoint);
  detach(mountpoint);
});

t.test('a program that waits in the mount does not keep it', async (t) => {
  const mount = new ToyMount();
  const { fuse, negotiated, instance } = mount;
  const engine = new ToyEngine({ fuse, negotiated, instance });
  t.teardown(() => {
    engine.stop();
    mount.end();
  });
  const reader = spawn('cat', [join(mount.path, 'queue')], { stdio: 'ignore' });
  const ended = new Promise((resolve) => reader.on('exit', resolve));
  while (engine.tree.attempts === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  unmount(mount.path);
  t.equal(findMount(mount.path), undefined);
  t.equal(await ended, 1, 'it was told of an error');
  while (!engine.session.unmounted) await new Promise((resolve) => setTimeout(resolve, 1));
});

t.test('a mountpoint that is not there', async (t) => {
  const fuse = openFuse();
  t.throws(
    () => mountFuse(fuse, '/nowhere/at/all', { source: 'x', allowOther: true }),
    /make the directory first/,
  );
  t.throws(
    () => mountFuse(fuse, '/dev/null', { source: 'x', allowOther: true }),
    /not a directory/,
  );
});
