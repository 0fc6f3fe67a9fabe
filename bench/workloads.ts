import type { Sample } from './sample.ts';

/** What the near side does. */
export interface Workload {
  readonly name: string;
  /** Of `load run`; with `accept` it is the far side that runs it. */
  readonly kind: 'out' | 'in' | 'exchange' | 'connect' | 'accept';
  readonly connections: number;
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'out', kind: 'out', connections: 1 },
  { name: 'in', kind: 'in', connections: 1 },
  { name: 'out16', kind: 'out', connections: 16 },
  { name: 'in16', kind: 'in', connections: 16 },
  { name: 'exchange', kind: 'exchange', connections: 1 },
  { name: 'connect', kind: 'connect', connections: 1 },
  { name: 'accept', kind: 'accept', connections: 1 },
];

/** What is compared of a workload. */
export interface Metric {
  readonly workload: string;
  readonly title: string;
  readonly unit: string;
  readonly isLessBetter: boolean;
  value(sample: Sample): number;
}

const gigabits = ({ run }: Sample) => (run.bytes * 8) / run.seconds / 1e9;
const rate = ({ run }: Sample) => run.exchanges / run.seconds;

export const METRICS: readonly Metric[] = [
  bulk('out', 'bulk out, 1 connection'),
  bulk('in', 'bulk in, 1 connection'),
  bulk('out16', 'bulk out, 16 connections'),
  bulk('in16', 'bulk in, 16 connections'),
  {
    workload: 'exchange',
    title: '64-byte request and reply, p50',
    unit: 'us',
    isLessBetter: true,
    value: ({ run }) => run.p50,
  },
  {
    workload: 'exchange',
    title: '64-byte request and reply, p99',
    unit: 'us',
    isLessBetter: true,
    value: ({ run }) => run.p99,
  },
  {
    workload: 'connect',
    title: 'connect, exchange, close',
    unit: '/s',
    isLessBetter: false,
    value: rate,
  },
  { workload: 'accept', title: 'accept and serve', unit: '/s', isLessBetter: false, value: rate },
];

function bulk(workload: string, title: string): Metric {
  return { workload, title, unit: 'Gbit/s', isLessBetter: false, value: gigabits };
}
