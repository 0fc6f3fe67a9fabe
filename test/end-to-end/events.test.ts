import '../namespace.ts';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';
import { established } from './established.ts';

t.test('tail follows the events, also of the next engine', async (t) => {
  const daemon = await Daemon.start(t);
  const tail = daemon.shell('exec tail -s 0.05 -n +1 -f net/events 2>&1');
  const peer = await established(t, daemon, 'chat', 9000);
  await tail.printed(/ chat \S+ ESTABLISHED 10\.7\.0\.2:\d+ 10\.7\.0\.1:9000 -$/m);
  await daemon.killEngine();
  peer.end();
  await tail.printed(/ chat ESTABLISHED CLOSE-WAIT /m);
  const { stdout } = await daemon.run(
    `awk '{ print $3, $5 }' net/events; stat -c %s net/events; wc -c < net/events`,
  );
  const [line, size, count] = stdout.trimEnd().split('\n');
  t.equal(line, 'chat CLOSE-WAIT');
  t.equal(size, count);
  t.match(await daemon.run('echo > net/events'), {
    status: 1,
    stderr: /Permission denied/,
  });
});

t.test('log says what the engine logs', async (t) => {
  const daemon = await Daemon.start(t, '--log-level', 'info');
  await daemon.run(`mkdir net/tcp/lost; echo ${HOST}:1 > net/tcp/lost/connect; rmdir net/tcp/lost`);
  t.match((await daemon.run('grep -c "connection ended" net/log')).stdout, /^1$/m);
});
