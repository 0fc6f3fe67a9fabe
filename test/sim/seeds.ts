import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HAPPENINGS, type Happening } from './network-host.ts';
import type { Batch, BatchResult } from './worker.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const BATCH = 10;
/** A batch takes a second or two; one that takes this long, milliseconds, goes round for ever. */
const BATCH_TIMEOUT = 120_000;

export interface Tally {
  seeds: number;
  bytes: number;
  packets: number;
  datagrams: number;
  readonly happenings: Record<Happening, number>;
  readonly failures: { readonly seed: string; readonly failure: string }[];
}

export interface SeedRun {
  readonly first: bigint;
  /** How many seeds; Infinity: until the time is up. */
  readonly count: number;
  /** When to begin no more, milliseconds since 1970. */
  readonly until: number;
  readonly processes: number;
  /** Called when a batch is done. */
  onBatch?(tally: Tally, failures: BatchResult['failures']): void;
}

/**
 * Runs consecutive seeds in processes of their own.
 * @throws Error one of them died, or went round for ever
 */
export async function runSeeds(run: SeedRun): Promise<Tally> {
  const tally: Tally = {
    ...{ seeds: 0, bytes: 0, packets: 0, datagrams: 0 },
    ...{ happenings: { freezes: 0, moves: 0 }, failures: [] },
  };
  let begun = 0;
  const next = (): Batch | undefined => {
    if (begun >= run.count || Date.now() >= run.until) return undefined;
    const batch = {
      first: String(run.first + BigInt(begun)),
      count: Math.min(BATCH, run.count - begun),
    };
    begun += batch.count;
    return batch;
  };
  const works = Array.from({ length: run.processes }, async () => {
    const child = fork(WORKER, { execArgv: ['--import=tsx'] });
    try {
      for (let batch = next(); batch !== undefined; batch = next()) {
        const result = await ask(child, batch);
        tally.seeds += batch.count;
        tally.bytes += result.bytes;
        tally.packets += result.packets;
        tally.datagrams += result.datagrams;
        for (const what of HAPPENINGS) tally.happenings[what] += result.happenings[what];
        tally.failures.push(...result.failures);
        run.onBatch?.(tally, result.failures);
      }
    } finally {
      if (child.connected) child.disconnect();
    }
  });
  await Promise.all(works);
  return tally;
}

function ask(child: ChildProcess, batch: Batch): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    const hung = setTimeout(() => child.kill('SIGKILL'), BATCH_TIMEOUT);
    const died = () => {
      clearTimeout(hung);
      const last = BigInt(batch.first) + BigInt(batch.count - 1);
      reject(new Error(`no answer from the process of seeds ${batch.first} to ${last}`));
    };
    child.once('exit', died);
    child.once('message', (result) => {
      clearTimeout(hung);
      child.off('exit', died);
      resolve(result as BatchResult);
    });
    child.send(batch);
  });
}
