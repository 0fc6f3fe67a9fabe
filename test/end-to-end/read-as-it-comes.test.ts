import '../namespace.ts';
import t from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { Caller } from './caller.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';

t.setTimeout(180_000);

const O_RDONLY = 0;

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

t.test('what is read as it comes is read once, wherever engines die', async (t) => {
  const daemon = await Daemon.start(t);
  const socket = await established(t, daemon, 'chat', 9000);
  const caller = new Caller(daemon);
  const data = await caller.open('net/tcp/chat/data', O_RDONLY);
  let deaths = 0;
  for (let number = 0; number < 2 * POINTS.length; number++) {
    const point = POINTS[number % POINTS.length]!;
    // Several segments, which are acknowledged at once.
    const text = `number ${number} `.repeat(1000);
    const reading = caller.call('read', data, 100_000);
    await until(() => caller.isReading(data));
    // Served behind it: the engine has put it off by now.
    await daemon.read('tcp/chat/state');
    daemon.arm(point);
    socket.write(text);
    let got = await reading;
    while (String(got).length < text.length)
      got += String(await caller.call('read', data, 100_000));
    t.ok(got === text, `${point} ${number}`);
    if (!daemon.armed(point)) deaths++;
    daemon.disarm(point);
  }
  t.ok(deaths >= POINTS.length, `${deaths} engines died`);
  socket.end('the end');
  t.equal(await caller.call('read', data, 100), 'the end');
  t.equal(await caller.call('read', data, 100), '');
});
