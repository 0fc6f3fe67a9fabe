import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used since they began. */
export interface Usage {
  /** Of all their threads, seconds. */
  readonly cpu: number;
  /** Context switches, whether they wanted to wait or had to. */
  readonly switches: number;
  /** Bytes handed to write(2) and its kin, whatever to. */
  readonly written: number;
}

/** @param pids of processes whose threads stay */
export function usageOf(pids: readonly number[]): Usage {
  let [cpu, switches, written] = [0, 0, 0];
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const directory = `/proc/${pid}/task/${thread}`;
      // Nanoseconds on a processor come first (sched-stats.rst).
      cpu += Number(readFileSync(`${directory}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
      const status = readFileSync(`${directory}/status`, 'utf8');
      for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) switches += Number(count);
    }
    const [, wchar] = /wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))!;
    written += Number(wchar);
  }
  return { cpu, switches, written };
}

export function difference(after: Usage, before: Usage): Usage {
  return {
    cpu: after.cpu - before.cpu,
    switches: after.switches - before.switches,
    written: after.written - before.written,
  };
}

/** Bytes that came out of a TUN, which is what its owner wrote to it. */
export function tunBytes(name: string): number {
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((candidate) => candidate.trimStart().startsWith(`${name}:`));
  return Number(line!.split(':')[1]!.trim().split(/\s+/)[0]);
}
