import '../namespace.ts';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { children } from './processes.ts';

t.test('the spare is the next engine, and nobody misses one that died', async (t) => {
  const daemon = await Daemon.start(t);
  const keeper = await daemon.keeperPid();
  await established(t, daemon, 'chat', 9000);
  const spareBeside = (engine: number) =>
    until(() => children(keeper).find((child) => child !== engine));

  const spare = await spareBeside(await daemon.enginePid());
  await daemon.killEngine();
  t.equal(await daemon.enginePid(), spare, 'the spare took over');

  process.kill(await spareBeside(spare), 'SIGKILL');
  await daemon.killEngine();
  t.hasStrict(await daemon.run('echo hello > net/tcp/chat/data'), { status: 0, stderr: '' });
});
