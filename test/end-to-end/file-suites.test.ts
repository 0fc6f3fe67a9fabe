// Programs that are made to test files.
import '../namespace.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';
import { echoServer } from './echo-server.ts';

const PORT = 9000;

/** Errors of a tree in which nobody makes files: EPERM EACCES, and ENOENT of what could not be made. */
const REFUSALS = [1, 13, 2];

/** Stressors that work in a directory of their own, which here is a connection. */
const STRESSORS =
  'access chdir chmod chown copy-file dentry dir dirdeep dirmany fallocate fiemap file-ioctl filename flock getdent hdd link open ' +
  'readahead rename seek sendfile symlink touch utime xattr';

t.test('fio and stress-ng', async (t) => {
  const daemon = await Daemon.start(t);
  await echoServer(t, PORT);

  let carried = 0;
  /** Has fio write to an echo server and verify what comes back, which fits into the buffers on the way. */
  const verify = async (options: string, kibibytes: number) => {
    const { stdout, stderr } = await daemon.run(
      `fio --name=loop --filename=net/tcp/loop/data --rw=write --ioengine=sync --verify_fatal=1 --output-format=json ${options}`,
    );
    const { jobs } = JSON.parse(stdout);
    t.match(jobs[0], { error: 0, write: { io_kbytes: kibibytes } }, `${options} ${stderr}`);
    // fio does not count all of what it reads in pieces.
    carried += kibibytes * 1024;
    const status = await daemon.read('tcp/loop/status');
    t.match(status, new RegExp(`^RECEIVE_START ${carried}$`, 'm'), 'all has been read');
  };

  await daemon.run(`mkdir net/tcp/loop && echo ${HOST}:${PORT} > net/tcp/loop/connect`);
  await verify('--verify=crc32c --size=512k --bs=4k', 512);
  await verify('--verify=sha256 --size=512k --bs=128k', 512);
  await verify('--verify=md5 --size=512k --bsrange=1k-64k --loops=3', 3 * 512);

  await t.test('stress-ng', async (t) => {
    const names = (await daemon.run('ls net/tcp')).stdout;
    const each = STRESSORS.split(' ').map((name) => `--${name} 1`);
    const { stdout, stderr } = await daemon.run(
      `stress-ng --temp-path net/tcp --timeout 2 ${each.join(' ')} --fstat 1 --fstat-dir net/tcp/loop`,
    );
    const said = stdout + stderr;
    const errors = [...said.matchAll(/errno ?= ?(\d+)/g)].map(([, errno]) => Number(errno));
    t.ok(errors.length > 0, said);
    t.same(new Set(errors.filter((errno) => !REFUSALS.includes(errno))), new Set(), said);
    t.equal((await daemon.run('ls net/tcp')).stdout, names);
  });

  await verify('--verify=crc32c --size=512k --bs=4k', 512);
  t.equal(await daemon.epoch(), 1, 'no engine has died of all this');
  t.equal(readFileSync(join(daemon.directory, 'log'), 'utf8'), '');
});
