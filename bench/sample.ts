import type { Run } from './load.ts';

/** One run of one workload by one contender. */
export interface Sample {
  readonly contender: string;
  readonly workload: string;
  readonly run: Run;
  /** Seconds of processor: both load programs and what carries the bytes between them, where that is processes. */
  readonly cpu: number;
  /** Context switches of the same. */
  readonly switches: number;
  /** Of a processor, while the run lasted, by each of them. */
  readonly busy: { readonly near: number; readonly far: number; readonly engine: number };
  /** Bytes written to the store, and turns committed; 0 where there is no store. */
  readonly stored: number;
  readonly commits: number;
}
