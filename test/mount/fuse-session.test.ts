import '../namespace.ts';
import { spawn } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ToyEngine, type ToyEngineOptions } from './toy-engine.ts';
import { ToyMount } from './toy-mount.ts';
import { CAPACITY } from './toy-tree.ts';

interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a shell script in the mount's directory. It goes there itself: spawn(3) would have to wait for this process' own answer.
 */
function shell(mount: ToyMount, script: string): Promise<Outcome> & { pid: number } {
  const child = spawn('bash', ['-c', `cd ${mount.path} || exit\n${script}`]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return Object.assign(ended, { pid: child.pid! });
}

function serve(t: Test, options: Partial<ToyEngineOptions> = {}): [ToyMount, ToyEngine] {
  const mount = new ToyMount();
  const { fuse, negotiated, instance } = mount;
  const engine = new ToyEngine({ fuse, negotiated, instance, ...options });
  t.teardown(() => {
    engine.stop();
    mount.end();
  });
  return [mount, engine];
}

/** Resolves when `condition` holds; each look at it lets the event loop go round. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

t.test('names and attributes', async (t) => {
  const [mount, engine] = serve(t);
  t.same((await readdir(mount.path)).sort(), ['counter', 'dial', 'hello', 'queue']);
  const hello = await stat(join(mount.path, 'hello'));
  t.equal(hello.mode, 0o100666);
  t.equal(hello.size, 4096);
  t.equal(hello.mtimeMs, 1_700_000_000_000);
  await t.rejects(stat(join(mount.path, 'nothing')), { code: 'ENOENT' });
  await t.rejects(stat(Buffer.from(`${mount.path}/\xff`, 'latin1')), { code: 'ENOENT' });
  const { stdout } = await shell(
    mount,
    'ls -l; ls -la . | wc -l; stat -c %s queue; df . | tail -1',
  );
  t.match(stdout, /^-rw-rw-rw- 1 root root +4096 .* hello$/m);
  t.same(engine.failures, []);
});

t.test('text', async (t) => {
  const [mount, engine] = serve(t);
  t.equal(await readFile(join(mount.path, 'hello'), 'utf8'), 'hello\n');
  const { stdout } = await shell(
    mount,
    'cat hello; head -c 2 hello; cat counter; read -r x < counter; echo $x',
  );
  t.equal(stdout, 'hello\nhe1\n2\n');
  t.equal((await shell(mount, 'echo x > hello')).code, 1);
  await until(() => engine.tree.openFiles === 0);
});

t.test('directories', async (t) => {
  const [mount] = serve(t);
  const { stdout, stderr } = await shell(mount, 'mkdir a b; rmdir a; ls -d */; mkdir b');
  t.equal(stdout, 'b/\n');
  t.match(stderr, /File exists/);
});

t.test('what a tree of sockets does not do', async (t) => {
  const [mount] = serve(t);
  const { stderr } = await shell(
    mount,
    `export LC_ALL=C
    touch nothing; ln hello link; ln -s hello link; rm -f hello; mv hello other; mkfifo pipe; touch -d now hello
    truncate -s 0 hello; chmod 600 hello; [ -t 0 ] < hello; cp hello /dev/null; fallocate -l 1 hello; readlink hello; sync hello`,
  );
  const complaints = stderr.trim().split('\n');
  t.match(complaints, [
    /touch.*Permission denied/,
    /ln.*hard link.*Operation not permitted/,
    /ln.*symbolic link.*Operation not permitted/,
    /rm.*Operation not permitted/,
    /mv.*Operation not permitted/,
    /mkfifo.*Operation not permitted/,
    /fallocate.*No such device/,
  ]);
  t.equal(complaints.length, 7);
});

t.test('a stream', async (t) => {
  const [mount, engine] = serve(t);
  const reader = shell(mount, 'head -c 6 queue');
  await until(() => engine.tree.attempts === 1);
  await shell(mount, 'echo hello > queue');
  t.equal((await reader).stdout, 'hello\n');
  t.equal(engine.tree.queued, 0);
});

t.test('a large read or write is cut where the stream is, and does not wait', async (t) => {
  const [mount, engine] = serve(t);
  const writer = await shell(
    mount,
    `python3 -c "
import os
f = os.open('queue', os.O_RDWR)
print(os.write(f, b'x' * (4 << 20)))
print(len(os.read(f, 4 << 20)))
print(os.write(f, b'y' * (1 << 20)))
print(len(os.read(f, 4 << 20)))
os.set_blocking(f, False)
try: os.read(f, 1)
except BlockingIOError: print('EAGAIN')
"`,
  );
  t.equal(
    writer.stdout,
    `${CAPACITY}\n${CAPACITY}\n${1 << 20}\n${1 << 20}\nEAGAIN\n`,
    writer.stderr,
  );
  t.same(engine.failures, []);
});

t.test('a signal ends a read that waits', async (t) => {
  const [mount, engine] = serve(t);
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
    const before = engine.tree.attempts;
    const reader = shell(mount, 'exec cat queue');
    await until(() => engine.tree.attempts > before);
    process.kill(reader.pid, signal);
    t.equal((await reader).signal, signal);
  }
  await until(() => engine.tree.openFiles === 0);
  engine.tree.enqueue(Buffer.from('kept'));
  engine.wake();
  t.equal((await shell(mount, 'head -c 4 queue')).stdout, 'kept', 'the dead took nothing');
});

t.test('a signal ends a dial that waits, and its note', async (t) => {
  const [mount, engine] = serve(t);
  const dialer = shell(mount, 'echo x > dial');
  await until(() => engine.tree.dials === 1);
  process.kill(dialer.pid, 'SIGKILL');
  await dialer;
  t.equal(engine.journal.scan(8).length, 0);
  const next = shell(mount, 'echo x > dial; echo $?');
  await until(() => engine.tree.dials === 2 && engine.journal.scan(8).length === 1);
  engine.tree.answerDial();
  engine.wake();
  t.equal((await next).stdout, '0\n');
  t.equal(engine.tree.dials, 2);
  t.equal(engine.journal.scan(8).length, 0);
});

for (const method of ['poll', 'epoll'] as const) {
  t.test(`${method} wakes up each time something comes`, async (t) => {
    const [mount, engine] = serve(t);
    const waiter = shell(
      mount,
      `exec python3 -c "
import os, select, sys
f = os.open('queue', os.O_RDWR | os.O_NONBLOCK)
p = select.${method}()
p.register(f, select.POLLIN)
for i in range(3):
  assert p.poll() == [(f, select.POLLIN)]
  print(os.read(f, 100).decode(), flush=True)
"`,
    );
    for (const word of ['one', 'two', 'three']) {
      // Nobody can see from outside that the program sleeps; that its file is armed is close enough.
      await until(() => engine.journal.scan(9).length === 1 && engine.tree.queued === 0);
      engine.tree.enqueue(Buffer.from(word));
      engine.wake();
      await until(() => engine.tree.queued === 0);
    }
    const { stdout, stderr } = await waiter;
    t.equal(stdout, 'one\ntwo\nthree\n', stderr);
    await until(() => engine.journal.scan(9).length === 0);
  });
}

t.test('more replies than fit at once', async (t) => {
  // Room for one reply of 1 MiB and a little more.
  const [mount, engine] = serve(t, { outboxSize: (1 << 20) + 65536 });
  const copies = 6;
  const sender = shell(mount, 'head -c 60000000 /dev/zero > queue');
  const readers = Array.from({ length: copies }, () =>
    shell(
      mount,
      'dd if=queue bs=1M count=10000000 iflag=fullblock,count_bytes status=none | wc -c',
    ),
  );
  const counts = await Promise.all(readers);
  await sender;
  t.same(
    counts.map(({ stdout }) => stdout.trim()),
    Array(copies).fill('10000000'),
  );
  t.same(engine.failures, []);
});

t.test('unmounting ends the session', async (t) => {
  const [mount, engine] = serve(t);
  await shell(mount, `cd /; umount ${mount.path}`);
  await until(() => engine.session.unmounted);
});
