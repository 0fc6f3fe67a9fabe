import { HAPPENINGS, type Happening } from './network-host.ts';
import { simulate } from './simulation.ts';

/** What the parent asks for: consecutive seeds. */
export interface Batch {
  readonly first: string;
  readonly count: number;
}

/** What it is told. */
export interface BatchResult {
  readonly bytes: number;
  readonly packets: number;
  readonly datagrams: number;
  readonly happenings: Readonly<Record<Happening, number>>;
  readonly failures: readonly { readonly seed: string; readonly failure: string }[];
}

function run({ first, count }: Batch): BatchResult {
  const results = Array.from({ length: count }, (_, i) => simulate(BigInt(first) + BigInt(i)));
  return {
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    packets: results.reduce((sum, { packets }) => sum + packets, 0),
    datagrams: results.reduce((sum, { datagrams }) => sum + datagrams, 0),
    happenings: Object.fromEntries(
      HAPPENINGS.map((what) => [
        what,
        results.reduce((sum, { happenings }) => sum + happenings[what], 0),
      ]),
    ) as Record<Happening, number>,
    failures: results.flatMap(({ seed, failure }) =>
      failure === undefined ? [] : [{ seed: String(seed), failure }],
    ),
  };
}

process.on('message', (batch: Batch) => process.send!(run(batch)));
