// What a signal to a program does between the death of an engine and the next one.
import '../namespace.ts';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { hasEnded, untilInside } from './processes.ts';
import type { Shell } from './shell.ts';

/** A program that reads once, and says so when it has had SIGUSR1. */
const READER = `exec python3 -c '
import os, signal, sys
def interrupted(*_):
    if sys.argv[1] == "gives up":
        print("interrupted", flush=True)
        sys.exit(0)
    print("signal", flush=True)
signal.signal(signal.SIGUSR1, interrupted)
data = os.open("net/tcp/chat/data", os.O_RDONLY)
print("opened", flush=True)
print(os.read(data, 100).decode(), flush=True)
'`;

/** A program that reads once, when it is told to: nothing but a READ comes of it. */
const TOLD_READER = `exec python3 -c '
import os, sys
data = os.open("net/tcp/chat/data", os.O_RDONLY)
print("opened", flush=True)
sys.stdin.readline()
print(os.read(data, 100).decode(), flush=True)
'`;

/** A program that writes once, when it is told to: nothing but a WRITE comes of it. */
const WRITER = `exec python3 -c '
import os, sys
data = os.open("net/tcp/chat/data", os.O_WRONLY)
print("opened", flush=True)
sys.stdin.readline()
os.write(data, b"once")
'`;

/** Comes between two engines: once `death` has come about, and before the keeper starts the next one, it runs `act`. */
type Between = (death: (engine: number) => void, act: () => void) => Promise<void>;

/** Makes requests too. All of them are done when it resolves. */
async function between(daemon: Daemon): Promise<Between> {
  const status = await daemon.status();
  // Nobody waits for the RELEASE of a file that was closed, but it comes before this.
  await stat(join(daemon.mountpoint, 'none')).catch(() => {});
  const keeper = Number(status.get('keeper_pid'));
  const engine = Number(status.get('engine_pid'));
  return async (death, act) => {
    process.kill(keeper, 'SIGSTOP');
    death(engine);
    await until(() => hasEnded(engine));
    act();
    process.kill(keeper, 'SIGCONT');
    await daemon.untilEpoch(Number(status.get('epoch')) + 1);
  };
}

async function reading(daemon: Daemon, what: 'goes on' | 'gives up'): Promise<Shell> {
  const reader = daemon.shell(`${READER} '${what}'`);
  await reader.printed(/opened/);
  await untilInside(reader.pid, 'read');
  return reader;
}

t.test('a reader killed before its bytes were acknowledged leaves them to the next', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const betweenEngines = await between(daemon);
  const reader = await reading(daemon, 'goes on');
  const death = () => {
    daemon.arm('after-commit');
    socket.write('left');
  };
  await betweenEngines(death, () => void reader.process.kill('SIGKILL'));
  t.equal((await reader.ended).stdout, 'opened\n');
  const { stdout } = await daemon.run('head -c 4 net/tcp/chat/data');
  t.equal(stdout, 'left', 'as when it is killed before read(2)');
});

t.test('a reader killed when its bytes were its own already takes them with it', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  socket.write('gone');
  await until(async () => (await daemon.read('tcp/chat/status')).includes('\nreadable 4\n'));
  const reader = daemon.shell(TOLD_READER, 'pipe');
  await reader.printed(/opened/);
  const betweenEngines = await between(daemon);
  const death = () => {
    daemon.arm('after-commit');
    reader.process.stdin!.write('go\n');
  };
  await betweenEngines(death, () => void reader.process.kill('SIGKILL'));
  t.equal((await reader.ended).stdout, 'opened\n');
  socket.write('next');
  const { stdout } = await daemon.run('head -c 4 net/tcp/chat/data');
  t.equal(stdout, 'next', 'as when it is killed after read(2) has returned');
});

t.test('a signal takes no bytes from who goes on', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const betweenEngines = await between(daemon);
  const reader = await reading(daemon, 'goes on');
  const death = () => {
    daemon.arm('after-commit');
    socket.write('mine');
  };
  await betweenEngines(death, () => void reader.process.kill('SIGUSR1'));
  t.same(await reader.ended, { status: 0, stdout: 'opened\nsignal\nmine\n', stderr: '' });
});

t.test('who waits for bytes that have not come is interrupted, and takes none', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const betweenEngines = await between(daemon);
  const reader = await reading(daemon, 'gives up');
  await betweenEngines(
    (engine) => process.kill(engine, 'SIGKILL'),
    () => {
      socket.write('kept');
      reader.process.kill('SIGUSR1');
    },
  );
  t.same(await reader.ended, { status: 0, stdout: 'opened\ninterrupted\n', stderr: '' });
  t.equal((await daemon.run('head -c 4 net/tcp/chat/data')).stdout, 'kept');
});

t.test('what a writer has written is sent once, though it is killed before it knows', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
  });
  socket.resume();
  const betweenEngines = await between(daemon);
  const writer = daemon.shell(WRITER, 'pipe');
  await writer.printed(/opened/);
  const death = () => {
    daemon.arm('after-commit');
    writer.process.stdin!.write('go\n');
  };
  await betweenEngines(death, () => void writer.process.kill('SIGKILL'));
  await writer.ended;
  await daemon.run('echo close > net/tcp/chat/ctl');
  await until(() => socket.readableEnded);
  t.equal(got, 'once');
});
