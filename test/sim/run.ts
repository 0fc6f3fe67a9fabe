import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSeeds, type Tally } from './seeds.ts';
import { simulate } from './simulation.ts';
import { Trace } from './trace.ts';

const USAGE = `npm run sim -- [--seeds N] [--minutes M] [--from S] [--processes P]
npm run sim -- --seed S

  --seeds N      how many seeds; 1000, or without end when there are minutes
  --minutes M    begin none after this time
  --from S       the first of them; random
  --processes P  how many at once; 2
  --seed S       run this one alone, with its trace and a capture
`;

/** How much of a trace is shown; the file has all of it. */
const TAIL = 40;
const REPORT_INTERVAL = 30_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs one seed again and shows what happened. */
function replay(seed: bigint): boolean {
  const trace = new Trace();
  const { failure, stack, packets, bytes } = simulate(seed, trace);
  const file = join(tmpdir(), `holdfast-sim-${seed}`);
  writeFileSync(`${file}.txt`, `${trace.lines.join('\n')}\n${failure ?? 'no failure'}\n`);
  writeFileSync(`${file}.pcap`, trace.pcap);
  say(trace.lines.slice(-TAIL).join('\n'));
  say(`seed ${seed}: ${failure === undefined ? 'no failure' : stack}`);
  say(failure ?? `${bytes} bytes, ${packets} packets`);
  say(`trace ${file}.txt, capture ${file}.pcap`);
  return failure === undefined;
}

function summary({ seeds, bytes, packets, happenings, failures }: Tally, since: number): string {
  const seconds = (Date.now() - since) / 1000;
  return (
    `${seeds} seeds, ${(bytes / 2 ** 20).toFixed(0)} MiB, ${packets} packets, ${happenings.freezes} freezes, ${happenings.moves} moves in ${seconds.toFixed(0)} s ` +
    `(${((seeds / seconds) * 60).toFixed(0)} seeds a minute); ${failures.length} failed`
  );
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      from: { type: 'string' },
      processes: { type: 'string', default: '2' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return true;
  }
  if (values.seed !== undefined) return replay(BigInt(values.seed));
  const since = Date.now();
  const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
  const fallback = minutes === Infinity ? 1000 : Infinity;
  const count = values.seeds === undefined ? fallback : Number(values.seeds);
  const first = values.from === undefined ? randomBytes(8).readBigUInt64LE() : BigInt(values.from);
  say(`seeds from ${first}`);
  let reportAt = since + REPORT_INTERVAL;
  const tally = await runSeeds({
    first,
    count,
    until: since + minutes * 60_000,
    processes: Number(values.processes),
    onBatch(soFar, failures) {
      for (const { seed, failure } of failures) {
        say(`seed ${seed} failed ${failure}\n  npm run sim -- --seed ${seed}`);
      }
      if (Date.now() < reportAt) return;
      reportAt = Date.now() + REPORT_INTERVAL;
      say(summary(soFar, since));
    },
  });
  say(summary(tally, since));
  const [worst] = tally.failures;
  if (worst === undefined) return true;
  replay(BigInt(worst.seed));
  say(`npm run sim -- --seed ${worst.seed}`);
  return false;
}

process.exitCode = (await main()) ? 0 : 1;
