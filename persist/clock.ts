import { performance } from 'node:perf_hooks';

/**
 * The engine's clock: CLOCK_MONOTONIC in milliseconds, with fractions. It counts from the host's boot, so every
 * engine of one boot reads the same clock, and deadlines in the journal stay true across a restart.
 */
const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicNow(): number {
  return origin + performance.now();
}
