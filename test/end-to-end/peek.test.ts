import '../namespace.ts';
import { once } from 'node:events';
import t from 'tap';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';

t.test('programs look at what has come, and leave it there', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = await established(t, daemon, 'chat', 9000);
  const poll = daemon.shell(`exec python3 -c '
import os, select
file = os.open("net/tcp/chat/peek", os.O_RDONLY | os.O_NONBLOCK)
poller = select.poll()
poller.register(file, select.POLLIN)
try:
    os.read(file, 9)
except BlockingIOError:
    print("nothing", flush=True)
poller.poll()
print(os.pread(file, 5, 0), os.read(file, 5), os.read(file, 5), flush=True)
'`);
  await poll.printed(/^nothing$/m);
  peer.write('first\nlast\n');
  t.match(await poll.ended, { stdout: "nothing\nb'first' b'first' b'\\nlast'\n", stderr: '' });

  const cat = daemon.shell('exec cat net/tcp/chat/peek');
  await cat.printed(/^last$/m);
  await daemon.killEngine();
  peer.end('later\n');
  await once(peer, 'finish');
  t.same(await cat.ended, { status: 0, stdout: 'first\nlast\nlater\n', stderr: '' });
  const { stdout } = await daemon.run(`
    head -c 8 net/tcp/chat/peek; echo
    read -r line < net/tcp/chat/peek && echo "$line"
    cat net/tcp/chat/data
  `);
  t.equal(stdout, 'first\nla\nfirst\nfirst\nlast\nlater\n');
});

t.test('all of what waits, however much', async (t) => {
  const daemon = await Daemon.start(t);
  const peer = await established(t, daemon, 'chat', 9001);
  const text = 'a line of sixteen'.repeat(1000);
  peer.end(text);
  await once(peer, 'finish');
  const { stdout } = await daemon.run(`
    cat net/tcp/chat/peek > copy && cat copy; echo
    node -e 'process.stdout.write(require("fs").readFileSync("net/tcp/chat/peek"))'; echo
    python3 -c 'print(open("net/tcp/chat/peek").read())'
    cat net/tcp/chat/data
  `);
  t.same(stdout.split('\n'), [text, text, text, text]);
});
