// What a directory of very many connections costs whoever looks at it.
import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { Daemon } from './daemon.ts';

const COUNT = 10_000;

/** What a listing may cost, in seconds of the engine's processor time: how long it takes depends on who else is busy. */
const MOST_SECONDS = 1;

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Seconds of processor time that a process has used (proc_pid_stat(5), utime and stime). */
function secondsUsed(pid: number): number {
  const [, afterName = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [utime, stime] = afterName.split(' ').slice(11, 13).map(Number) as [number, number];
  return (utime + stime) / TICKS_PER_SECOND;
}

t.test(`${COUNT} connections`, async (t) => {
  const daemon = await Daemon.start(t, '--memory', '1G');
  const made = await daemon.run(`exec python3 -c '
import os
for i in range(${COUNT}): os.mkdir(f"net/tcp/c{i}")
'`);
  t.same(made, { status: 0, stdout: '', stderr: '' });
  const names = `seq -f 'c%.0f' 0 ${COUNT - 1} | sort`;

  const listed = async (command: string) => {
    const pid = await daemon.enginePid();
    const before = secondsUsed(pid);
    const { stdout } = await daemon.run(`diff <(${command} | sort) <(${names}) && echo same`);
    const used = secondsUsed(pid) - before;
    t.equal(stdout, 'same\n', command);
    t.ok(used < MOST_SECONDS, `${command}: ${used} s`);
  };
  await listed('ls -U net/tcp | grep ^c[0-9]');
  await listed('cd net/tcp && printf "%s\\n" c[0-9]*');
  await listed('cut -d " " -f 1 net/tcp/connections');
  await daemon.killEngine();
  await listed('ls -U net/tcp | grep ^c[0-9]');
});
