import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BadPath, FAR } from './bad-path.ts';
import { until } from './condition.ts';
import type { Daemon } from './daemon.ts';
import { Keystream } from './keystream.ts';
import type { Ended } from './shell.ts';

/** Whose TCP is at the near end of the path: that of a mount, or the kernel's. The far end is always the kernel's. */
export type Near = 'mount' | 'kernel';

/** From the near end to the far one, or the other way. */
export type Way = 'out' | 'in';

/** What became of a file that programs at both ends sent and received. */
export interface Arrived {
  /** SHA-256 of what came. */
  readonly received: string;
  readonly near: Ended;
  readonly far: Ended;
  /** Milliseconds from the first SYN, about, to the end of the stream. */
  readonly duration: number;
}

const FILE = 'bad-path.random';
const PORT = 9000;
const LISTEN = `TCP-LISTEN:${PORT},reuseaddr`;
const SOCAT = 'socat -b 262144 -u';

/** What runs at the far end, which listens. */
const FAR_SIDE: Record<Way, string> = {
  out: `set -o pipefail; ${SOCAT} ${LISTEN} - | sha256sum`,
  in: `${SOCAT} FILE:${FILE} ${LISTEN}`,
};

/** What runs at the near end, which connects. */
const NEAR_SIDE: Record<Near, Record<Way, string>> = {
  mount: {
    out: onMount(`cat ${FILE} > $c/data`),
    in: onMount('cat $c/data | sha256sum'),
  },
  kernel: {
    out: `${SOCAT} FILE:${FILE} TCP:${FAR}:${PORT}`,
    in: `set -o pipefail; ${SOCAT} TCP:${FAR}:${PORT} - | sha256sum`,
  },
};

function onMount(transfer: string): string {
  return `
    set -e -o pipefail
    c=$(mktemp -d net/tcp/XXXXXXXX)
    echo ${FAR}:${PORT} > $c/connect
    ${transfer}
    echo close > $c/ctl
  `;
}

/** Puts a file of `size` pseudo-random bytes where `transfer` finds it. @returns its SHA-256 */
export function makeFile(daemon: Daemon, size: number, seed: number): string {
  const bytes = new Keystream(`${seed} bad path`).bytes(size);
  writeFileSync(join(daemon.directory, FILE), bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends the file that `makeFile` has made over `path`. */
export async function transfer(
  daemon: Daemon,
  path: BadPath,
  near: Near,
  way: Way,
): Promise<Arrived> {
  const far = path.shell(FAR_SIDE[way]);
  await until(async () => (await path.run(`ss -Hltn sport = :${PORT}`)).stdout !== '');
  const begin = performance.now();
  const [nearEnded, farEnded] = await Promise.all([daemon.run(NEAR_SIDE[near][way]), far.ended]);
  const duration = performance.now() - begin;
  const { stdout } = way === 'out' ? farEnded : nearEnded;
  return { received: stdout.split(' ')[0]!, near: nearEnded, far: farEnded, duration };
}
