// One open(2) of accept_data is a client, to programs that know nothing else of the tree.
import '../namespace.ts';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { dial, readToEnd } from './peer.ts';
import { untilInside } from './processes.ts';
import { rungOpen } from './rung-open.ts';

const PORT = 8080;
const FILE = 'net/tcp/srv/accept_data';

/** What goes each way while engines are killed, bytes. */
const SIZE = 1024 * 1024;
const KILLS = 4;

async function listening(t: Test): Promise<Daemon> {
  const daemon = await Daemon.start(t);
  const { status } = await daemon.run(
    `mkdir net/tcp/srv && echo ${STACK}:${PORT} > net/tcp/srv/listen`,
  );
  t.equal(status, 0);
  return daemon;
}

/** The connections that have been accepted. */
function accepted(daemon: Daemon): string[] {
  return readdirSync(join(daemon.mountpoint, 'tcp')).filter((name) => /^\d+$/.test(name));
}

/** How many wait to be accepted. */
async function queued(daemon: Daemon): Promise<number> {
  const [, , count] = (await daemon.read('tcp/listeners')).split(' ');
  return Number(count);
}

t.test('programs that take the name of a file', async (t) => {
  const daemon = await listening(t);
  const serves = async (script: string, sent: string, expected: string) => {
    const server = daemon.shell(script);
    const socket = await dial(STACK, PORT);
    socket.end(sent);
    t.equal(String(await readToEnd(socket)), expected, script);
    t.match(await server.ended, { status: 0, stderr: '' });
    await until(() => accepted(daemon).length === 0);
  };
  await serves(
    `exec 3<>${FILE}; read -r line <&3; echo "you said $line" >&3`,
    'hi\n',
    'you said hi\n',
  );
  await serves(`dash -c 'exec 3<>${FILE}; read -r line <&3; echo $line >&3'`, 'hi\n', 'hi\n');
  await serves(`echo hello > ${FILE}`, '', 'hello\n');
  await serves(`seq 100000 >> ${FILE}`, '', (await daemon.run('seq 100000')).stdout);
  await serves(`exec <>${FILE} >&0; tr a-z A-Z`, 'shout\n', 'SHOUT\n');
  await serves(
    `python3 -c '
import os
with open("${FILE}", "r+b", buffering=0) as file:
    os.rmdir("net/tcp/srv")
    os.fstat(file.fileno())
    file.write(file.read(100))
os.mkdir("net/tcp/srv")
open("net/tcp/srv/listen", "w").write("${STACK}:${PORT}")
'`,
    'the listener is gone',
    'the listener is gone',
  );
});

t.test('each client has an open file, whoever is first', async (t) => {
  const daemon = await listening(t);
  const server = daemon.shell(
    `while exec 3<>${FILE}; do { read -r line; echo "$line, $line" >&3; } <&3 & exec 3>&-; done`,
  );
  const answers = Array.from({ length: 50 }, async (_, i) => {
    const socket = connect(PORT, STACK).setEncoding('latin1');
    await once(socket, 'connect');
    socket.write(`${i}\n`);
    let text = '';
    for await (const piece of socket) text += piece;
    return text;
  });
  t.same(
    await Promise.all(answers),
    answers.map((_, i) => `${i}, ${i}\n`),
  );
  server.kill();
});

t.test('what open(2) says, and poll(2) before it', async (t) => {
  const daemon = await listening(t);
  const says = async (script: string, stdout: string) =>
    t.same(await daemon.run(`python3 -c '${script}'`), { status: 0, stdout, stderr: '' });
  await says(
    `
import errno, os, select
def tried(path, flags=os.O_RDWR | os.O_NONBLOCK):
    try:
        return os.open(path, flags)
    except OSError as error:
        print(errno.errorcode[error.errno])
os.mkdir("net/tcp/idle")
tried("net/tcp/idle/accept_data")
tried("${FILE}")
print("%o" % (os.stat("${FILE}").st_mode & 0o777))
`,
    'EINVAL\nEAGAIN\n660\n',
  );
  const waiting = daemon.shell(`exec python3 -c '
import os, select
poller = select.epoll()
poller.register(os.open("net/tcp/srv/accept", os.O_RDONLY), select.EPOLLIN)
print("waiting", flush=True)
poller.poll()
file = os.open("${FILE}", os.O_RDWR | os.O_NONBLOCK)
try:
    os.read(file, 100)
except BlockingIOError as error:
    print(error.strerror, flush=True)
os.set_blocking(file, True)
os.write(file, b"got " + os.read(file, 100))
'`);
  await waiting.printed(/waiting/);
  const socket = await dial(STACK, PORT);
  await waiting.printed(/Resource temporarily unavailable/);
  socket.end('it');
  t.equal(String(await readToEnd(socket)), 'got it');
});

t.test('whoever is interrupted or killed while it waits takes no client along', async (t) => {
  const daemon = await listening(t);
  const waiting = daemon.shell(`exec cat ${FILE}`);
  await untilInside(waiting.pid, 'openat');
  waiting.kill();
  t.equal((await waiting.ended).status, 137);
  const alarmed = await rungOpen(daemon, FILE);
  t.same(alarmed, { status: 0, stdout: 'rang\n', stderr: '' });
  const socket = await dial(STACK, PORT);
  await until(async () => (await queued(daemon)) === 1);
  t.same(accepted(daemon), []);
  socket.end('for the next');
  t.same(await daemon.run(`cat ${FILE}`), { status: 0, stdout: 'for the next', stderr: '' });
});

t.test('engines die while a program waits in open(2), and while it uses the file', async (t) => {
  const daemon = await listening(t);
  const program = daemon.shell(`exec python3 -c '
import os
file = os.open("${FILE}", os.O_RDWR)
print("open", flush=True)
while got := os.read(file, 65536):
    while got:
        got = got[os.write(file, got):]
'`);
  await untilInside(program.pid, 'openat');
  for (let i = 0; i < 2; i++) await daemon.killEngine();
  const socket = connect({ host: STACK, port: PORT, localAddress: HOST });
  const sent = Buffer.alloc(SIZE, 'some text and more of it ');
  socket.end(sent);
  await program.printed(/open/);
  t.equal(accepted(daemon).length, 1);
  let received = 0;
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => {
    received += piece.length;
    pieces.push(piece);
  });
  const ended = once(socket, 'end');
  for (let kill = 1; kill <= KILLS; kill++) {
    await until(() => received >= (SIZE * kill) / (KILLS + 1));
    await daemon.killEngine();
  }
  await ended;
  t.ok(Buffer.concat(pieces).equals(sent), 'every byte, once');
  t.match(await program.ended, { status: 0, stdout: 'open\n', stderr: '' });
  t.equal(await queued(daemon), 0);
  await until(() => accepted(daemon).length === 0);
});
