import '../namespace.ts';
import t from 'tap';
import { Daemon } from './daemon.ts';
import { runCases } from './programs.ts';

for (const program of ['streams.py', 'readiness.py', 'errors.py', 'posix.py', 'races.py']) {
  t.test(program, async (t) => {
    const daemon = await Daemon.start(t);
    await runCases(t, daemon, program);
  });
}
