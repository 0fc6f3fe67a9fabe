// One open(2) of a file in dial/ is a connection, to programs that know nothing else of the tree.
import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST } from './daemon.ts';
import { accept, listen, readToEnd } from './peer.ts';
import { rungOpen } from './rung-open.ts';

/** An address of the host's network that nobody has yet, so that SYNs to it are lost. */
const NOBODY = '10.7.0.99';
/** What goes each way while engines are killed, bytes. */
const SIZE = 1024 * 1024;
const KILLS = 4;

/** A peer that sends back what it gets. */
async function echo(t: Test, port: number, host = HOST): Promise<Server> {
  const server = await listen(host, port);
  server.on('connection', (socket) => socket.pipe(socket));
  t.teardown(() => server.close());
  return server;
}

/** A peer that says `text` and closes. */
async function teller(t: Test, port: number, text: string): Promise<void> {
  const server = await listen(HOST, port);
  server.on('connection', (socket) => socket.end(text).resume());
  t.teardown(() => server.close());
}

/** The connections that have a directory. */
function connections(daemon: Daemon): string[] {
  return readdirSync(join(daemon.mountpoint, 'tcp')).filter((name) => /^\d+$/.test(name));
}

t.test('programs that take the name of a file', async (t) => {
  const daemon = await Daemon.start(t);
  const says = async (script: string, stdout: string) =>
    t.same(await daemon.run(script), { status: 0, stdout, stderr: '' }, script);

  await echo(t, 9000);
  const peer = `net/dial/${HOST}:9000`;
  await says(`exec 3<>${peer}; echo hello >&3; read -r line <&3; echo $line`, 'hello\n');
  await says(`dash -c 'exec 3<>${peer}; echo hello >&3; read -r line <&3; echo $line'`, 'hello\n');
  await says(
    `exec 3<>${peer} 4<>${peer}; echo three >&3; echo four >&4; for fd in 4 3; do read -r line <&$fd; echo $line; done`,
    'four\nthree\n',
  );
  await says(
    `python3 -c '
import selectors
with open("${peer}", "r+b", buffering=0) as file:
    file.write(b"hello")
    selector = selectors.DefaultSelector()
    selector.register(file, selectors.EVENT_READ)
    [(key, events)] = selector.select()
    print(key.fileobj.read(100))
    try:
        file.seek(0)
    except OSError as error:
        print(error.strerror)
'`,
    "b'hello'\nIllegal seek\n",
  );

  await teller(t, 9001, 'Saturday\n');
  await says(`cat net/dial/${HOST}:9001`, 'Saturday\n');
  await says(`socat -u 'OPEN:net/dial/${HOST}!9001,rdonly' -`, 'Saturday\n');

  const listener = await listen(HOST, 9002);
  t.teardown(() => listener.close());
  const [heard] = await Promise.all([
    accept(listener).then(async (socket) => {
      const bytes = await readToEnd(socket);
      socket.end();
      return bytes.toString();
    }),
    says(`seq 100000 > net/dial/${HOST}:9002`, ''),
  ]);
  t.equal(heard.length, 588_895, 'all of it, and then the end');

  const web = createServer((_, response) => response.end('a page')).listen(8000, HOST);
  await once(web, 'listening');
  t.teardown(() => web.close());
  await says(
    `socat UNIX-LISTEN:socket 'OPEN:net/dial/${HOST}!8000' &
    until [ -S socket ]; do sleep 0.01; done
    curl -sS --http1.0 --unix-socket socket http://somewhere/; wait`,
    'a page',
  );

  await says(
    'ls -A net/dial; test -e net/dial/10.7.0.77:80; stat -c %F net/dial/10.7.0.77:80',
    'regular file\n',
  );
  await until(() => connections(daemon).length === 0);
});

t.test('what goes wrong has the errno that connect(2) has', async (t) => {
  const daemon = await Daemon.start(t);
  const fails = async (script: string, message: string) => {
    const { status, stderr } = await daemon.run(script);
    t.equal(status, 1, script);
    t.match(stderr, message);
  };
  await fails(`exec 3<>net/dial/${HOST}:9000`, 'Connection refused');
  await fails(`cat net/dial/${HOST}:9000`, 'Connection refused');
  await fails('exec 3<>net/dial/224.0.0.1:80', 'Network is unreachable');
  await fails('exec 3<>net/dial/10.7.0.1:99999', 'No such file or directory');
  await fails('exec 3<>net/dial/', 'Is a directory');
  await fails('cat net/dial/README', 'No such file or directory');
  await fails('mkdir net/dial/10.7.0.1:80', 'File exists');
  await fails('rm net/dial/10.7.0.1:80', 'Operation not permitted');
  t.same(connections(daemon), []);
});

t.test('a program that is interrupted while it waits leaves nothing', async (t) => {
  const daemon = await Daemon.start(t);
  const waiting = daemon.shell(`exec cat net/dial/${NOBODY}:80`);
  await until(() => connections(daemon).length === 1);
  waiting.kill();
  t.equal((await waiting.ended).status, 137);
  await until(() => connections(daemon).length === 0);

  const alarmed = await rungOpen(daemon, `net/dial/${NOBODY}:80`);
  t.same(alarmed, { status: 0, stdout: 'rang\n', stderr: '' });
  await until(() => connections(daemon).length === 0);
});

t.test('engines die while a program waits in open(2), and while it uses the file', async (t) => {
  const daemon = await Daemon.start(t);
  const program = daemon.shell(`exec python3 -c '
import hashlib, os, threading
file = os.open("net/dial/${NOBODY}:9000", os.O_RDWR)
print("open", flush=True)
sent, got = os.urandom(${SIZE}), b""
def send():
    rest = memoryview(sent)
    while rest:
        rest = rest[os.write(file, rest[:65536]):]
thread = threading.Thread(target=send)
thread.start()
while len(got) < len(sent):
    got += os.read(file, 65536)
thread.join()
print("same" if got == sent else "other bytes")
'`);
  await until(() => connections(daemon).length === 1);
  for (let i = 0; i < 2; i++) await daemon.killEngine();
  t.equal(connections(daemon).length, 1);
  let accepted = 0;
  let received = 0;
  execFileSync('ip', ['address', 'add', `${NOBODY}/32`, 'dev', 'holdfast0']);
  const server = await echo(t, 9000, NOBODY);
  server.on('connection', (socket) => {
    accepted++;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
  });
  await program.printed(/open/);
  for (let kill = 1; kill <= KILLS; kill++) {
    await until(() => received >= (SIZE * kill) / (KILLS + 1));
    await daemon.killEngine();
  }
  t.match(await program.ended, { status: 0, stdout: 'open\nsame\n' });
  t.equal(accepted, 1);
  await until(() => connections(daemon).length === 0);
});
