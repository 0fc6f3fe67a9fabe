import '../namespace.ts';
import t from 'tap';
import { Daemon } from './daemon.ts';

t.test('what an engine had read that never committed a turn is asked again', async (t) => {
  const daemon = await Daemon.startArmed(t, 'first-turn', 'before-commit');
  // The first engine dies at once. The second one finds this waiting, reads it, and dies before anything is committed,
  // be it only which mount it serves.
  t.hasStrict(await daemon.run('mkdir net/tcp/chat && ls -d net/tcp/chat'), {
    status: 0,
    stderr: '',
    stdout: 'net/tcp/chat\n',
  });
  t.equal(await daemon.epoch(), 3);
});
