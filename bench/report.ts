import type { Sample } from './sample.ts';
import { digits, type Summary, summarize } from './summary.ts';
import { METRICS, type Metric } from './workloads.ts';

/** One contender in one metric. */
export interface Row {
  readonly contender: string;
  readonly summary: Summary;
  /** To the first contender: of medians, and above 1 is more. */
  readonly ratio: number;
  /** Medians, for each GB carried in bulk, and for each exchange otherwise: seconds of processor, context switches. */
  readonly cpu: number;
  readonly switches: number;
  /** Bytes written to the store for each byte carried, or exchange. */
  readonly stored: number;
  /** Turns committed in a second. */
  readonly commits: number;
  /** What was busiest, if it hardly ever rested. */
  readonly limit: string;
}

export interface Section {
  readonly metric: Metric;
  readonly rows: readonly Row[];
}

/** Of one processor; who has as much is what limits. */
const BUSY = 0.9;

/** @param baseline the contender that others are compared with */
export function sectionsOf(samples: readonly Sample[], baseline: string): Section[] {
  return METRICS.map((metric) => ({ metric, rows: rowsOf(samples, metric, baseline) })).filter(
    ({ rows }) => rows.length > 0,
  );
}

function rowsOf(samples: readonly Sample[], metric: Metric, baseline: string): Row[] {
  const measured = samples.filter(({ workload }) => workload === metric.workload);
  const of = (name: string) => measured.filter(({ contender }) => contender === name);
  const medianOf = (mine: readonly Sample[], value: (sample: Sample) => number) =>
    summarize(mine.map(value)).median;
  const contenders = [...new Set(measured.map(({ contender }) => contender))];
  const base = of(baseline).length > 0 ? medianOf(of(baseline), metric.value) : Number.NaN;
  return contenders.map((contender) => {
    const mine = of(contender);
    const summary = summarize(mine.map(metric.value));
    return {
      contender,
      summary,
      ratio: summary.median / base,
      cpu: medianOf(mine, (sample) => sample.cpu / amount(sample)),
      switches: medianOf(mine, (sample) => sample.switches / amount(sample)),
      stored: medianOf(
        mine,
        (sample) => sample.stored / (sample.run.bytes || sample.run.exchanges),
      ),
      commits: medianOf(mine, (sample) => sample.commits / sample.run.seconds),
      limit: limitOf(mine),
    };
  });
}

/** GB of payload, or exchanges. */
function amount({ run }: Sample): number {
  return run.bytes > 0 ? run.bytes / 1e9 : run.exchanges;
}

function limitOf(samples: readonly Sample[]): string {
  const names = { near: 'near load', far: 'far load', engine: 'engine' } as const;
  const keys = Object.keys(names) as (keyof typeof names)[];
  return keys
    .filter((key) => summarize(samples.map(({ busy }) => busy[key])).median >= BUSY)
    .map((key) => names[key])
    .join(', ');
}

/** A table for a terminal. */
export function formatReport(sections: readonly Section[]): string {
  return sections.map(formatSection).join('\n');
}

const HEAD = [
  ...['', 'median', 'least', 'most', 'ratio', 'CPU s', 'switches', 'stored', 'commits/s', 'busy'],
] as const;

function formatSection({ metric, rows }: Section): string {
  const per = rows[0]!.summary && metric.unit === 'Gbit/s' ? 'GB' : 'exchange';
  const cells = rows.map((row) => [
    row.contender,
    digits(row.summary.median),
    digits(row.summary.least),
    digits(row.summary.most),
    Number.isFinite(row.ratio) ? row.ratio.toFixed(2) : '-',
    row.cpu < 0.001 ? row.cpu.toExponential(1) : digits(row.cpu),
    digits(row.switches),
    digits(row.stored),
    digits(row.commits),
    row.limit,
  ]);
  const widths = HEAD.map((head, i) =>
    Math.max(head.length, ...cells.map((row) => row[i]!.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) =>
        i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      )
      .join('  ')
      .trimEnd();
  const title = `${metric.title} (${metric.unit}; CPU and switches for each ${per})`;
  return [title, line(HEAD), ...cells.map(line), ''].join('\n');
}
