import '../namespace.ts';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { Caller } from './caller.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { accept, dial, listen } from './peer.ts';

t.setTimeout(180_000);

const O_RDONLY = 0;
const O_RDWR = 2;

/**
 * Where an engine dies in the turn that brings bytes to a reader who waits. They are not in the journal: after the commit the reader has
 * no answer, between the outputs he has one, and the peer does not know.
 */
const POINTS: readonly CrashPoint[] = [
  'before-commit',
  'after-commit',
  'between-outputs',
  'after-outputs',
];

/** Ways to an open stream, with the socket at its other end. */
const WAYS: Record<
  string,
  (t: Test, daemon: Daemon, caller: Caller) => Promise<readonly [number, Socket]>
> = {
  data: async (t, daemon, caller) => {
    const socket = await established(t, daemon, 'chat', 9000);
    return [await caller.open('net/tcp/chat/data', O_RDONLY), socket];
  },

  dial: async (t, _, caller) => {
    const server = await listen(HOST, 9001);
    t.teardown(() => server.close());
    const accepting = accept(server);
    return [await caller.open(`net/dial/${HOST}:9001`, O_RDWR), await accepting];
  },

  accept_data: async (_, daemon, caller) => {
    await daemon.run('mkdir net/tcp/srv; echo :8080 > net/tcp/srv/listen');
    const socket = await dial(STACK, 8080);
    return [await caller.open('net/tcp/srv/accept_data', O_RDWR), socket];
  },
};

t.test('what is read as it comes is read once, wherever engines die', async (t) => {
  const daemon = await Daemon.start(t);
  const caller = new Caller(daemon);
  for (const [way, open] of Object.entries(WAYS)) {
    const [data, socket] = await open(t, daemon, caller);
    await readAsItComes(t, daemon, caller, data, socket, way);
  }
});

async function readAsItComes(
  t: Test,
  daemon: Daemon,
  caller: Caller,
  data: number,
  socket: Socket,
  way: string,
): Promise<void> {
  let deaths = 0;
  for (let number = 0; number < 2 * POINTS.length; number++) {
    const point = POINTS[number % POINTS.length]!;
    // Several segments, which are acknowledged at once.
    const text = `number ${number} `.repeat(1000);
    const reading = caller.call('read', data, 100_000);
    await until(() => caller.isReading(data));
    // Served behind it: the engine has put it off by now.
    await daemon.read('status');
    daemon.arm(point);
    socket.write(text);
    let got = await reading;
    while (String(got).length < text.length)
      got += String(await caller.call('read', data, 100_000));
    t.ok(got === text, `${way} ${point} ${number}`);
    if (!daemon.armed(point)) deaths++;
    daemon.disarm(point);
  }
  t.ok(deaths >= POINTS.length, `${deaths} engines died`);
  socket.end('the end');
  t.equal(await caller.call('read', data, 100), 'the end');
  t.equal(await caller.call('read', data, 100), '');
}
