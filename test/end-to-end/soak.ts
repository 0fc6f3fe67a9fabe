// Programs and the kernel talk to each other through a mount whose processes are killed, until somebody notices:
// npm run soak -- --minutes 10 --kills-per-second 2
import '../namespace.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Random, seeded } from '../seeded.ts';
import { until } from './condition.ts';
import { Daemon } from './daemon.ts';
import { killRepeatedly } from './kill-repeatedly.ts';
import { countRsts, rsts, strayRsts } from './rst-counter.ts';
import { SEED } from './seed.ts';
import { Traffic } from './soak-traffic.ts';

/** So many deaths of the engine, then something else that happens to a daemon. */
const KILLS_IN_A_ROW = 10;
/** After which an engine may live for longer than the keeper calls short (`mount/restart-policy.ts`). */
const REST_MILLISECONDS = 1500;
/** Calls that each side has open at a time. */
const CALLERS = 4;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'kills-per-second': { type: 'string', default: '2' },
  },
});
const minutes = Number(values.minutes);
const interval = 1000 / Number(values['kills-per-second']);

/** What a Daemon wants of a test. */
const test = {
  handlers: [] as (() => void | Promise<void>)[],
  failed: false,
  teardown(handler: () => void | Promise<void>) {
    this.handlers.push(handler);
  },
  passing() {
    return !this.failed;
  },
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What else there is: each leaves the daemon at work. */
const EVENTS: Record<string, (daemon: Daemon) => Promise<void>> = {
  async 'keeper killed'(daemon) {
    const keeper = await daemon.keeperPid();
    process.kill(keeper, 'SIGKILL');
    await until(async () => (await daemon.keeperPid()) !== keeper);
  },
  async upgraded(daemon) {
    const { status, stderr } = await daemon.holdfast('upgrade net');
    if (status !== 0) throw new Error(`upgrade: ${stderr}`);
  },
  async 'SIGHUP to the keeper'(daemon) {
    const epoch = await daemon.epoch();
    process.kill(await daemon.keeperPid(), 'SIGHUP');
    await daemon.untilEpoch(epoch + 1);
  },
};

/** Kills engines until `end`, milliseconds of `performance.now()`. @returns how often what happened */
async function interfere(
  daemon: Daemon,
  random: Random,
  end: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const count = (what: string, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times);
  const names = Object.keys(EVENTS);
  for (let round = 0; performance.now() < end; round++) {
    await killRepeatedly(daemon, KILLS_IN_A_ROW, random, () => delay(random(2 * interval)));
    count('kills', KILLS_IN_A_ROW);
    const name = names[round % names.length]!;
    await EVENTS[name]!(daemon);
    count(name);
    await delay(REST_MILLISECONDS);
  }
  return counts;
}

async function soak(): Promise<boolean> {
  const random = seeded(SEED);
  print(`HOLDFAST_SEED=${SEED}`);
  const daemon = await Daemon.start(test);
  countRsts();
  const traffic = new Traffic(daemon, random, SEED, print);
  await traffic.serve();
  const began = performance.now();
  const [, counts] = await Promise.all([
    traffic.run(CALLERS),
    interfere(daemon, random, began + minutes * 60_000).finally(() => traffic.end()),
  ]);
  const { received, sent } = rsts();
  const strays = strayRsts();
  const resets = received + sent - strays;
  print(`minutes ${((performance.now() - began) / 60_000).toFixed(1)}`);
  print(`connections ${traffic.connections}`);
  print(`bytes ${traffic.bytes}`);
  for (const [what, times] of counts) print(`${what} ${times}`);
  print(`errors ${traffic.errors}`);
  print(`RSTs ${resets}, and ${strays} that answered a segment of no connection`);
  print(`mismatches ${traffic.mismatches}`);
  return traffic.errors + resets + traffic.mismatches === 0;
}

try {
  test.failed = !(await soak());
} catch (error) {
  test.failed = true;
  print(String((error as Error).stack));
}
for (const handler of test.handlers) await handler();
process.exit(test.failed ? 1 : 0);
