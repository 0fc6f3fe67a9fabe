import '../namespace.ts';
import { constants } from 'node:fs';
import t from 'tap';
import { Caller } from './caller.ts';
import { Daemon } from './daemon.ts';

const { O_RDONLY, O_RDWR } = constants;

t.test(
  'what never changes is known without an engine, and close(2) does not wait for one',
  async (t) => {
    const daemon = await Daemon.start(t);
    const caller = new Caller(daemon);
    const clone = await caller.open('net/tcp/clone', O_RDWR);
    const file = await caller.open('net/README', O_RDONLY);
    const stat = daemon.shell(
      'cd net/persist && stat status && echo known && read -r line && stat -c %F . status',
      'pipe',
    );
    await stat.printed(/known/);
    const engine = await daemon.enginePid();
    process.kill(engine, 'SIGSTOP');
    stat.process.stdin!.write('\n');
    t.match((await stat.ended).stdout, /known\ndirectory\nregular file\n$/);
    t.equal(await caller.call('close', file), null);
    t.equal(await caller.call('close', clone), null);
    process.kill(engine, 'SIGCONT');
  },
);

t.test('a name is free as soon as its connection is gone', async (t) => {
  const daemon = await Daemon.start(t);
  const script = `
    for name in a b c d; do
      mkdir net/tcp/$name && stat -c %U net/tcp/$name/ctl net/tcp/$name >/dev/null || echo missing $name
      echo close > net/tcp/$name/ctl
      stat net/tcp/$name net/tcp/$name/ctl 2>/dev/null && echo still there: $name
      mkdir net/tcp/$name || echo taken: $name
      chmod 600 net/tcp/$name/ctl
      stat -c %a net/tcp/$name net/tcp/$name/status
      rmdir net/tcp/$name
    done`;
  t.equal((await daemon.run(script)).stdout, '700\n400\n'.repeat(4));
});
