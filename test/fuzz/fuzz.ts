import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Random, seeded } from '../seeded.ts';
import { CORPUS } from './corpus.ts';
import { TARGETS } from './targets.ts';

/**
 * `npm run fuzz -- [--inputs N] [--seed N] [--target NAME]`: random inputs, until there are N of them: packets for the
 * parsers; segments, calls and pauses for the whole stack. What it finds is made short and kept in the corpus.
 */
const { values } = parseArgs({
  options: { inputs: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
});
const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
const wanted = Number(values.inputs ?? '1000000');
const names = values.target === undefined ? Object.keys(TARGETS) : [values.target];
const MOST_BYTES = 400;
const MOST_FINDINGS = 20;
/** Between two lines that say how far it is, milliseconds. */
const REPORT = 10_000;

const random = seeded(seed);
let findings = 0;
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`seed ${seed}`);

for (const name of names) {
  const run = TARGETS[name];
  if (run === undefined) throw new Error(`no target ${name}: ${Object.keys(TARGETS).join(', ')}`);
  fuzz(name, run, wanted / names.length);
}
process.exitCode = findings === 0 ? 0 : 1;

function fuzz(name: string, run: (bytes: Uint8Array) => number, count: number): void {
  const known = new Set<string>();
  let inputs = 0;
  let reported = Date.now();
  while (inputs < count && known.size < MOST_FINDINGS) {
    const bytes = randomBytes(random, MOST_BYTES);
    try {
      inputs += run(bytes);
    } catch (error) {
      inputs++;
      const what = reasonOf(error);
      if (!known.has(what)) {
        known.add(what);
        keep(name, shorten(bytes, run, what), what, error);
      }
    }
    if (Date.now() - reported > REPORT) {
      reported = Date.now();
      say(`${name}: ${inputs} inputs`);
    }
  }
  findings += known.size;
  say(`${name}: ${inputs} inputs, ${known.size} findings`);
}

function randomBytes(next: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: next(most) }, () => next(256));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function reasonFor(bytes: Uint8Array, run: (bytes: Uint8Array) => number): string | undefined {
  try {
    run(bytes);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Leaves out as much as it can with the same finding. */
function shorten(bytes: Uint8Array, run: (bytes: Uint8Array) => number, what: string): Uint8Array {
  let best = bytes;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= best.length; ) {
      const shorter = Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + size)]);
      if (reasonFor(shorter, run) === what) best = shorter;
      else at += size;
    }
  }
  return best;
}

function keep(name: string, bytes: Uint8Array, what: string, error: unknown): void {
  const folder = join(CORPUS, name);
  mkdirSync(folder, { recursive: true });
  const slug = what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
  const path = join(folder, `${slug}.hex`);
  writeFileSync(path, `${Buffer.from(bytes).toString('hex')}\n`);
  say(`${name}: ${what}\n  kept as ${path}`);
  if (error instanceof Error) say(error.stack ?? '');
}
