import '../namespace.ts';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Daemon, HOST, IPV6 } from './daemon.ts';
import { established } from './established.ts';
import { countRsts, rsts } from './rst-counter.ts';

/** As much as needs several writes of the kernel's. */
const MUCH = 3 << 20;

/** A daemon at another address: one at the first that knows nothing of a connection would send its peer a reset. */
const ELSEWHERE = ['--address', '10.9.0.2/24', '--host-address', '10.9.0.1/24'];

t.test('a connection leaves its daemon and comes back', async (t) => {
  const daemon = await Daemon.start(t, ...IPV6);
  countRsts();
  const socket = await established(t, daemon, 'chat', 9000);
  socket.write('unread');
  const blocked = daemon.shell('echo at the end; cat net/tcp/chat/data');
  t.match(await daemon.run('timeout 5 dd bs=6 count=1 status=none < net/tcp/chat/data; true'), {
    status: 0,
  });

  t.hasStrict(await daemon.holdfast('export net chat > file'), { status: 0, stderr: '' });
  const ended = await blocked.ended;
  t.match(ended.stderr, /Software caused connection abort/, 'who waits for text is told');
  t.equal(await daemon.read('tcp/chat/state'), 'MOVED');
  t.hasStrict(await daemon.holdfast('export net tcp/chat > again'), { status: 0, stderr: '' });
  const file = readFileSync(join(daemon.directory, 'file'));
  t.same(readFileSync(join(daemon.directory, 'again')), file, 'the same file');
  await daemon.killEngine();
  t.hasStrict(await daemon.run('cat net/tcp/chat/export > third && cmp file third'), {
    status: 0,
  });

  writeFileSync(join(daemon.directory, 'cut'), file.subarray(0, -1));
  const damaged = await daemon.holdfast('import net < cut');
  t.match(damaged, { status: 1, stderr: /^holdfast: not imported: the file has \d+ bytes and/ });
  t.match(await daemon.holdfast('import net < /dev/null'), {
    status: 1,
    stderr: 'holdfast: not imported: the file has 0 bytes and should have more\n',
  });

  t.hasStrict(await daemon.holdfast('import net < file'), {
    status: 0,
    stdout: 'holdfast: imported tcp/chat\n',
    stderr: '',
  });
  const twice = await daemon.holdfast('import net < file');
  t.match(twice, { status: 1, stderr: 'holdfast: not imported: File exists (EEXIST)\n' });
  t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0 });
  const [text] = await once(socket.resume(), 'data');
  t.equal(String(text), 'hello\n');
  t.same(rsts(), { received: 0, sent: 0 });
});

t.test('the same with stores that nobody mounts', async (t) => {
  const daemon = await Daemon.start(t);
  countRsts();
  const socket = await established(t, daemon, 'chat', 9000);
  const sent = Buffer.alloc(MUCH, 'nobody has read this yet ');
  socket.write(sent);
  // The window is full: what there is room for has come.
  await daemon.run(
    'until [ $(awk "/^readable/ { print \\$2 }" net/tcp/chat/status) -ge 1000000 ]; do sleep 0.1; done',
  );
  t.match(
    await daemon.run(
      'mkdir net/tcp/srv && echo :80 > net/tcp/srv/bind && echo 1 > net/tcp/srv/listen',
    ),
    { status: 0 },
  );
  const live = await daemon.holdfast('export net srv');
  t.match(live, { status: 1, stderr: 'holdfast: tcp/srv cannot be exported: it is a listener\n' });
  t.match(await daemon.holdfast('export net.store chat > x'), {
    status: 1,
    stderr: /^holdfast: the store .* is in use/,
  });
  t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });

  t.hasStrict(await daemon.holdfast('export net.store chat > file'), { status: 0, stderr: '' });
  t.ok(statSync(join(daemon.directory, 'file')).size > 1_000_000);
  for (const [words, stderr] of [
    ['export net.store nobody', 'there is no connection tcp/nobody'],
    ['export net.store srv --forget', 'tcp/srv was not exported; it is LISTEN'],
    [
      'export nowhere chat',
      `${join(daemon.directory, 'nowhere')} is neither a Holdfast mount nor a store`,
    ],
  ])
    t.hasStrict(await daemon.holdfast(words!), { status: 1, stderr: `holdfast: ${stderr}\n` });
  t.match(await daemon.holdfast('export net.store udp/x'), { status: 64, stderr: /UDP socket/ });
  t.match(await daemon.holdfast('export net.store'), { status: 64 });
  t.match(await daemon.holdfast('import net.store --address 10.9.9.9/24 < file'), {
    status: 1,
    stderr: 'holdfast: not imported: its address is not one of this daemon (EADDRNOTAVAIL)\n',
  });

  // Another store takes it in, and its daemon has the address then. Until then nobody answers what the peer asks.
  await daemon.mount('--store', 'other.store', ...ELSEWHERE);
  t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
  t.hasStrict(await daemon.holdfast('import other.store < file'), {
    status: 0,
    stdout: 'holdfast: imported tcp/chat\n',
    stderr: '',
  });
  t.hasStrict(await daemon.holdfast('check other.store'), { status: 0, stderr: '' });
  t.hasStrict(await daemon.holdfast('export net.store chat --forget'), { status: 0, stderr: '' });
  t.match(await daemon.holdfast('import net.store < file'), { status: 1, stderr: /ESTALE/ });
  const check = await daemon.holdfast('check net.store');
  t.match(check, { status: 0, stdout: /^connection \d+ - MOVED /m });
  await daemon.mount('--store', 'other.store');
  const reading = daemon.shell(`head -c ${MUCH} net/tcp/chat/data | cmp - sent && echo equal`);
  writeFileSync(join(daemon.directory, 'sent'), sent);
  socket.resume();
  t.match(await reading.ended, { status: 0, stdout: 'equal\n' });
  t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0 });
  t.equal(await daemon.read('tcp/chat/remote'), `${HOST}:9000`);
  t.same(rsts(), { received: 0, sent: 0 });
});

t.test(
  'a move between stores that nobody mounts, each step cut short wherever it can be',
  async (t) => {
    const daemon = await Daemon.start(t);
    countRsts();
    const socket = await established(t, daemon, 'chat', 9000);
    t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
    await daemon.mount('--store', 'other.store', ...ELSEWHERE);
    t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
    /** Its states in the two stores. */
    const states = async () => {
      const [here, there] = [
        await daemon.holdfast('check net.store'),
        await daemon.holdfast('check other.store'),
      ];
      t.same([here.status, here.stderr, there.status, there.stderr], [0, '', 0, '']);
      return [here, there].map(({ stdout }) => /^connection \d+ \S+ (\S+)/m.exec(stdout)?.[1]);
    };
    const exporting = 'export net.store chat > file';
    const importing = 'import other.store < file';
    for (const [points, words, expected] of [
      [['before-export', 'after-export', 'before-commit'], exporting, ['ESTABLISHED', undefined]],
      [['after-commit', 'before-file', 'after-file'], exporting, ['MOVED', undefined]],
      [['before-import', 'after-import', 'before-commit'], importing, ['MOVED', undefined]],
      [['after-commit'], importing, ['MOVED', 'ESTABLISHED']],
    ] as const) {
      for (const point of points) {
        daemon.arm(point);
        t.match(await daemon.holdfast(words), { status: 137 }, point);
      }
      t.same(await states(), expected, points.join(', '));
    }
    t.hasStrict(await daemon.holdfast('export net.store chat > again'), { status: 0, stderr: '' });
    t.hasStrict(await daemon.run('cmp file again'), { status: 0 });
    t.match(await daemon.holdfast(importing), { status: 1, stderr: /EEXIST/ });

    await daemon.mount('--store', 'other.store');
    t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0 });
    const [text] = await once(socket.resume(), 'data');
    t.equal(String(text), 'hello\n');
    t.same(rsts(), { received: 0, sent: 0 });
  },
);
