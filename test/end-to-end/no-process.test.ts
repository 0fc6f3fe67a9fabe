import '../namespace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { established } from './established.ts';
import { children } from './processes.ts';

t.test('a keeper that cannot start a process goes on, and starts one when it can', async (t) => {
  const daemon = await Daemon.start(t);
  await established(t, daemon, 'chat', 9000);
  const keeper = await daemon.keeperPid();
  const log = join(daemon.directory, 'log');
  const spares = (engine: number) => children(keeper).filter((child) => child !== engine);
  const engine = await daemon.enginePid();
  await until(() => spares(engine).length === 1);

  // A process takes descriptors, and the keeper may have no more of them.
  const least = readdirSync(`/proc/${keeper}/fd`).length - 4;
  await daemon.run(`prlimit --pid ${keeper} --nofile=${least}:`);
  for (const pid of [...spares(engine), engine]) process.kill(pid, 'SIGKILL');
  const waiting = daemon.shell('echo hello > net/tcp/chat/data');
  await until(() => readFileSync(log, 'utf8').includes('no engine started'));
  await daemon.run(`prlimit --pid ${keeper} --nofile=1024:`);
  t.hasStrict(await waiting.ended, { status: 0, stderr: '' });
  t.equal(await daemon.keeperPid(), keeper, 'the same keeper');
});
