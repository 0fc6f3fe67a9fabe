import '../namespace.ts';
import { constants } from 'node:fs';
import t from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { Caller } from './caller.ts';
import { Daemon, HOST } from './daemon.ts';

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
      stat net/tcp/$name net/tcp/$name/accept_data >/dev/null
      chmod 600 net/tcp/$name/ctl
      stat -c %a net/tcp/$name net/tcp/$name/status net/tcp/$name/accept_data
      rmdir net/tcp/$name
    done`;
  t.equal((await daemon.run(script)).stdout, '700\n400\n600\n'.repeat(4));
});

t.test(
  'and its permissions are what they are by now, also of nodes by which they were not changed',
  async (t) => {
    const daemon = await Daemon.start(t);
    await daemon.run('mkdir net/tcp/room');
    const points: (CrashPoint | undefined)[] = [
      undefined,
      'before-commit',
      'after-commit',
      'after-outputs',
    ];
    for (const [i, point] of points.entries()) {
      const mode = [600, 660][i % 2];
      // What is kept of them is of before.
      await daemon.run('stat net/tcp/room net/tcp/room/accept_data');
      const { stdout } = await daemon.run(`
      cd net/tcp/room; stat -c %a accept_data > /dev/null
      ${point === undefined ? '' : `echo 1 > ../../../crash/${point}`}
      chmod ${mode} ctl; stat -c %a accept_data .`);
      t.equal(stdout, `${mode}\n${mode === 600 ? 700 : 770}\n`, point ?? 'nobody dies');
      if (point !== undefined) t.notOk(daemon.armed(point), `${point}: an engine has died`);
    }
  },
);

t.test('a name that another connection has taken is that of the other', async (t) => {
  const daemon = await Daemon.start(t);
  const script = `
    coproc nc -l ${HOST} 9000
    mkdir net/tcp/chat
    until echo ${HOST}:9000 > net/tcp/chat/connect; do sleep 0.1; done 2>/dev/null
    echo export > net/tcp/chat/ctl && cat net/tcp/chat/export > chat
    before=$(stat -c %i net/tcp/chat)
    exec 3<> net/import && cat chat >&3
    cat net/tcp/chat/state
    [ $(stat -c %i net/tcp/chat) != $before ] || echo the same`;
  t.equal((await daemon.run(script)).stdout, 'ESTABLISHED\n');
});
