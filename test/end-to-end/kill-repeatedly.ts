import { setTimeout as delay } from 'node:timers/promises';
import type { CrashPoint } from '../../mount/crash-point.ts';
import type { Random } from '../seeded.ts';
import { until } from './condition.ts';
import type { Daemon } from './daemon.ts';

/** Passed by an engine that has work to do. */
const AT_WORK: readonly CrashPoint[] = [
  'read-request',
  'before-commit',
  'after-commit',
  'between-outputs',
];
/** Passed once in the life of an engine that takes over from a dead one. */
const AT_START: readonly CrashPoint[] = ['just-restarted', 'first-turn'];
const POINTS = [...AT_WORK, ...AT_START];

/** After so many short lives an engine is left alone, so that the keeper's back-off starts over. */
const SHORT_LIVES = 12;
/** Longer than what the keeper calls short (`mount/restart-policy.ts`). */
export const LONG_LIFE_MILLISECONDS = 1200;

/** How long whoever makes the load may take to bring the engine to a crash point, before others help. */
const PATIENCE_MILLISECONDS = 3000;

/** Resolves when an engine has died at `point`, where the load of the test brings it, or else work of our own. */
async function untilPassed(daemon: Daemon, point: CrashPoint): Promise<void> {
  const help = setInterval(() => {
    for (let reader = 0; reader < 3; reader++) daemon.status().catch(() => {});
  }, PATIENCE_MILLISECONDS);
  try {
    await until(() => !daemon.armed(point));
  } finally {
    clearInterval(help);
  }
}

/**
 * Kills the engine `kills` times under the load that something else makes: every second time at a moment that
 * `moment` chooses, otherwise at each crash point in turn. Resolves when the engine after the last kill serves.
 * @param moment is told how many kills there were, and resolves when the next may fall
 * @returns how many kills of each kind there were, in words
 */
export async function killRepeatedly(
  daemon: Daemon,
  kills: number,
  random: Random,
  moment: (killed: number) => Promise<void> = () => delay(random(20)),
): Promise<string> {
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const killAtMoment = async (killed: number) => {
    const pid = await daemon.enginePid();
    await moment(killed);
    process.kill(pid, 'SIGKILL');
    count('any moment');
  };

  const before = await daemon.epoch();
  let killed = 0;
  for (let round = 0; killed < kills; round++) {
    const point = POINTS[(round >> 1) % POINTS.length]!;
    if (round % 2 === 0 || (AT_START.includes(point) && kills - killed < 2)) {
      await killAtMoment(killed++);
    } else if (AT_START.includes(point)) {
      const pid = await daemon.enginePid();
      await moment(killed++);
      daemon.arm(point);
      process.kill(pid, 'SIGKILL');
      count('any moment');
      await until(() => !daemon.armed(point));
      count(point);
      killed++;
    } else {
      await moment(killed++);
      daemon.arm(point);
      await untilPassed(daemon, point);
      count(point);
    }
    await daemon.untilEpoch(before + killed);
    if (round % SHORT_LIVES === SHORT_LIVES - 1) await delay(LONG_LIFE_MILLISECONDS);
  }
  return [...kinds].map(([kind, times]) => `${kind}: ${times}`).join(', ');
}
