import '../namespace.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOLDFAST, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { Keystream } from './keystream.ts';
import { dial, readToEnd } from './peer.ts';
import { untilInside } from './processes.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';
import type { Shell } from './shell.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };
/** More than all buffers between the program on the mount and a peer that does not read. */
const OUTBOUND = 64 * 1024 * 1024;
/** Some of it is read before the end of the first mount, some is waiting, and some comes while there is none. */
const INBOUND = 300_000;
const READ_BEFORE = 100_001;
const SENT_BEFORE = 200_002;

/** Writes what the file OUT has from byte `position` on, and says how much `write` has taken so far. */
const writer = (position: number) => `exec python3 -c '
import os
data = os.open("net/tcp/chat/data", os.O_WRONLY)
out = open("out", "rb")
position = ${position}
out.seek(position)
while block := out.read(50000):
    while block:
        taken = os.write(data, block)
        position += taken
        block = block[taken:]
        print(position, flush=True)
'`;

const ENDINGS: Record<string, (daemon: Daemon) => Promise<unknown>> = {
  'keeper and engine are killed together': (daemon) => daemon.killBoth(),
  'the tree is unmounted': (daemon) => daemon.unmount(),
};

for (const [ending, end] of Object.entries(ENDINGS)) {
  t.test(`${ending} in the middle of a transfer, and mounted again`, async (t) => {
    t.comment(`HOLDFAST_SEED=${SEED}`);
    const daemon = await Daemon.start(t);
    countRsts();
    t.same(
      await daemon.run(`
        mkdir net/tcp/srv net/tcp/idle
        echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
      `),
      QUIET,
    );
    const socket = await established(t, daemon, 'chat', 9000);
    const local = await daemon.read('tcp/chat/local');
    const outbound = new Keystream(`${SEED} outbound`).bytes(OUTBOUND);
    const inbound = new Keystream(`${SEED} inbound`).bytes(INBOUND);
    await writeFile(join(daemon.directory, 'out'), outbound);

    socket.write(inbound.subarray(0, SENT_BEFORE));
    t.same(await daemon.run(`head -c ${READ_BEFORE} net/tcp/chat/data > in`), QUIET);
    const writing = daemon.shell(writer(0));
    await writing.printed(/^\d+$/m);
    // The peer does not read, so the writer comes to stand: nothing of the write that blocks has been taken.
    await untilBlocked(writing);

    await end(daemon);
    const written = await writing.ended;
    t.not(written.status, 0, 'the mount has gone, and its programs are told');
    const taken = Number(written.stdout.trim().split('\n').at(-1));
    socket.write(inbound.subarray(SENT_BEFORE));
    await daemon.mount();

    t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
    t.equal(await daemon.read('tcp/chat/local'), local);
    t.equal(await daemon.read('tcp/chat/remote'), `${HOST}:9000`);
    t.equal(await daemon.read('tcp/idle/state'), 'CLOSED');
    t.match(await daemon.run('ls net/tcp'), { status: 0, stdout: /^chat$.*^idle$.*^srv$/ms });

    const caller = await dial(STACK, 8080);
    t.teardown(() => caller.destroy());
    const accepted = await daemon.run('cat net/tcp/srv/accept');
    t.equal(
      await daemon.read(`tcp/${accepted.stdout.trim()}/remote`),
      `${HOST}:${caller.localPort}`,
      'the listener listens again',
    );

    const received = readToEnd(socket);
    t.hasStrict(await daemon.run(writer(taken)), { status: 0, stderr: '' });
    socket.end();
    t.same(await daemon.run('cat net/tcp/chat/data >> in'), QUIET);
    t.same(await daemon.run('echo close > net/tcp/chat/ctl'), QUIET);
    t.ok(
      outbound.equals(await received),
      'the peer got every byte once, across the end of the mount',
    );
    t.ok(
      inbound.equals(await readFile(join(daemon.directory, 'in'))),
      'the programs on the mount read every byte once',
    );
    t.same(rsts(), { received: 0, sent: 0 });
  });
}

/** How often in a row a program is found standing still before it is taken to stand still for good. */
const LOOKS = 40;

/** Resolves when the program is inside one and the same write(2) at so many looks in a row. */
async function untilBlocked(shell: Shell): Promise<void> {
  let printed = '';
  let looks = 0;
  await until(async () => {
    await untilInside(shell.pid, 'write');
    looks = shell.stdout === printed ? looks + 1 : 0;
    printed = shell.stdout;
    return looks === LOOKS;
  });
}

t.test('when umount returns, the store and the interface are free', async (t) => {
  const daemon = await Daemon.start(t);
  for (let round = 0; round < 3; round++) {
    const { status, stderr } = await daemon.run(`
      '${process.execPath}' '${HOLDFAST}' umount net || exit 10
      flock --nonblock net.store/lock true || exit 20
      ip link show holdfast0
    `);
    t.equal(status, 1, 'there is no such interface');
    t.match(stderr, /holdfast0.* does not exist/);
    await daemon.mount();
  }
});
