import '../namespace.ts';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { StoreReport } from '../../mount/store-report.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';

/** Each file of the store and its bytes. */
function filesOf(store: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(store).map((name) => [name, readFileSync(join(store, name)).toString('base64')]),
  );
}

t.test('check says what is in a store, and changes nothing', async (t) => {
  const daemon = await Daemon.start(t, '--durability', 'power');
  const socket = await established(t, daemon, 'chat', 9000);
  socket.write('nobody has read this yet');
  t.match(
    await daemon.run(`
      head -c 1 net/tcp/chat/data && mkdir net/tcp/srv
      echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
    `),
    { status: 0 },
  );
  const status = await daemon.status();
  t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });

  const before = filesOf(daemon.store);
  const { status: code, stdout, stderr } = await daemon.holdfast('check net.store --json');
  t.same({ code, stderr }, { code: 0, stderr: '' });
  const report = JSON.parse(stdout) as StoreReport;
  t.match(report, {
    store: daemon.store,
    restores_from: 'last turn',
    closed: true,
    epoch: Number(status.get('epoch')),
    states: { ESTABLISHED: 1, LISTEN: 1 },
    problems: [],
  });
  t.match(
    report.connections.find(({ name }) => name === 'chat'),
    { state: 'ESTABLISHED', remote: `${HOST}:9000`, unacknowledged_bytes: 0 },
  );
  t.equal(report.connections.find(({ name }) => name === 'srv')?.local, `${STACK}:8080`);
  const text = await daemon.holdfast('check net.store');
  t.hasStrict(text, { status: 0, stderr: '' });
  t.match(text.stdout, /^connection \d+ chat ESTABLISHED .* unread 23 unacknowledged 0$/m);
  t.match(text.stdout, /^problems 0$/m);
  t.same(filesOf(daemon.store), before);
  await daemon.mount('--durability', 'power');
  t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
});

t.test('check of a damaged store: one line for each problem, and status 1', async (t) => {
  const daemon = await Daemon.start(t);
  t.hasStrict(await daemon.run('mkdir net/tcp/a-name-to-be-found'), { status: 0 });
  t.hasStrict(await daemon.unmount(), { status: 0 });
  const path = join(daemon.store, 'data.mdb');
  const bytes = readFileSync(path);
  const name = Buffer.from('a-name-to-be-found');
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes[at]! ^= 1;
  writeFileSync(path, bytes);
  const { status, stdout, stderr } = await daemon.holdfast('check net.store');
  t.equal(status, 1);
  t.match(stderr, /^holdfast: .*checksum of node 1\/0 is wrong\n$/);
  t.match(stdout, /^problems 1$/m);
});

t.test('check of a store after a kill of everything', async (t) => {
  const daemon = await Daemon.start(t);
  await established(t, daemon, 'chat', 9000);
  await daemon.killBoth();
  // The spare has the lock too, for as long as it takes to notice.
  await until(async () => (await daemon.holdfast('check net.store')).status === 0);
  const { status, stdout, stderr } = await daemon.holdfast('check net.store');
  t.same({ status, stderr }, { status: 0, stderr: '' });
  t.match(stdout, /^closed false$/m);
  t.match(stdout, /^connection 1 chat ESTABLISHED /m);
});

t.test('check refuses what it cannot tell about', async (t) => {
  const daemon = await Daemon.start(t);
  const refusals: Record<string, [number, RegExp]> = {
    'check net.store': [1, /in use by a daemon \(pid \d+\); unmount it first$/m],
    'check elsewhere': [1, /elsewhere holds no store/],
    check: [64, /one store/],
    'check net.store --colour': [64, /--colour/],
  };
  for (const [words, [status, reason]] of Object.entries(refusals)) {
    const ended = await daemon.holdfast(words);
    t.match(ended, { status, stdout: '', stderr: reason });
    t.match(ended.stderr, /^holdfast: .+\n$/);
  }
});
