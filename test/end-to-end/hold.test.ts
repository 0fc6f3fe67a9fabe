import '../namespace.ts';
import t from 'tap';
import { Daemon, HOLDFAST } from './daemon.ts';
import { established } from './established.ts';
import { outlived } from './outlived.ts';

t.test('a store that nobody serves is held, and goes on after that', async (t) => {
  const daemon = await Daemon.start(t, '--freeze');
  const socket = await established(t, daemon, 'chat', 9000);
  t.match(await daemon.holdfast('hold net.store'), {
    status: 1,
    stderr: /in use by a daemon.*unmount it first\n$/,
  });
  // More than the window takes.
  const text = Buffer.alloc(16 * 2 ** 20, 'text');
  socket.write(text);
  t.match(await daemon.unmount(), { status: 0, stderr: '' });
  const hold = daemon.shell(`exec '${process.execPath}' '${HOLDFAST}' hold net.store`);
  await hold.printed(/holding 1 connections/);
  t.match(await daemon.holdfast('mount net'), { status: 1, stderr: /in use by another daemon/ });
  await outlived(9000);
  hold.process.kill('SIGTERM');
  t.match(await hold.ended, { status: 0, stderr: '' });
  await daemon.mount();
  const { stdout } = await daemon.run(`head -c ${text.length} net/tcp/chat/data | sha256sum`);
  t.equal(
    stdout,
    (await daemon.run(`yes text | tr -d '\\n' | head -c ${text.length} | sha256sum`)).stdout,
  );
});

t.test('what cannot be held is refused with one line', async (t) => {
  const daemon = Daemon.prepare(t);
  t.match(await daemon.holdfast('hold elsewhere'), { status: 1, stderr: /^holdfast: [^\n]+\n$/ });
  t.match(await daemon.holdfast('hold'), { status: 64 });
  t.match(await daemon.holdfast('hold a b'), { status: 64 });
  t.match(await daemon.holdfast('hold a --mtu 12'), { status: 64 });
});
