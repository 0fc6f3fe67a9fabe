import { writeFileSync } from 'node:fs';
import { until } from './condition.ts';
import { backoffs, segments } from './no-engine.ts';

/** The kernel here probes a closed window so often without an answer before it gives up: see tcp_probe_timer. */
const RETRIES = 2;

/** Resolves when the kernel's connections to `port` here have probed more often than they would have without an answer. */
export async function outlived(port: number): Promise<void> {
  const heard = segments(port, 'segs_in');
  await until(() => segments(port, 'segs_in') > heard);
  // Only now: before, nobody has answered, for as long as it takes to start.
  writeFileSync('/proc/sys/net/ipv4/tcp_retries2', `${RETRIES}`);
  await until(() => backoffs(port).some((count) => count >= RETRIES));
  const sent = segments(port, 'segs_out');
  await until(() => segments(port, 'segs_out') > sent + RETRIES);
}
