import { writeFileSync } from 'node:fs';
import { until } from './condition.ts';
import { backoffs, segments } from './no-engine.ts';

/** The kernel here probes a closed window so often without an answer before it gives up: see tcp_probe_timer. */
const RETRIES = 2;

/** Resolves when the kernel's connections to each of `ports` here have probed more often than they would have without an answer. */
export async function outlived(...ports: number[]): Promise<void> {
  await Promise.all(ports.map((port) => more(port, 'segs_in', 1)));
  // Only now: before, nobody has answered, for as long as it takes to start.
  writeFileSync('/proc/sys/net/ipv4/tcp_retries2', `${RETRIES}`);
  await Promise.all(
    ports.map(async (port) => {
      await until(() => backoffs(port).some((count) => count >= RETRIES));
      await more(port, 'segs_out', RETRIES + 1);
    }),
  );
}

async function more(port: number, direction: 'segs_in' | 'segs_out', count: number): Promise<void> {
  const before = segments(port, direction);
  await until(() => segments(port, direction) >= before + count);
}
