import { isWithin, type Span } from './path.ts';
import type { Random } from './random.ts';

/** How far a turn gets before its engine dies. */
export const DEATH_POINTS = ['arrived', 'transmitted', 'staged', 'committed', 'releasing'] as const;

export type DeathPoint = (typeof DEATH_POINTS)[number];

/** What goes with an engine. */
export type Extent =
  /** Nothing else: the journal, the clock and the interface stay. */
  | 'process'
  /** The host, in good order: it comes back with another clock. */
  | 'reboot'
  /** The host, and turns that had not reached the disk. */
  | 'power';

/** One engine's end. */
export interface Death {
  readonly at: DeathPoint;
  readonly extent: Extent;
  /** How long there is no engine, milliseconds. */
  readonly downtime: number;
  /** How many of the `count` packets that were to leave still do. */
  released(count: number): number;
  /** How many of the turns that have not reached the disk are lost to a power cut. */
  lost(unsynced: number): number;
}

/** When the engines of a host die: by chance, or each in one turn, as they are counted in the host's life. */
export type CrashPlan = RandomCrashes | ReadonlyMap<number, Death>;

export interface RandomCrashes {
  /** In each turn. */
  readonly chance: number;
  readonly most: number;
  readonly span: Span;
  /** The longest time with no engine, milliseconds. */
  readonly downtime: number;
  /** How likely it is that the host goes down as well. */
  readonly reboots: number;
}

/** As `reboots`, of an engine whose death is arranged. */
const REBOOTS_WHEN_DOOMED = 0.5;

/** Decides in which turns an engine dies. */
export class Mortality {
  readonly #plan: CrashPlan;
  readonly #isPowerSafe: boolean;
  readonly #random: Random;
  #turns = 0;
  #deaths = 0;
  #isDoomed = false;

  /** @param isPowerSafe whether packets wait until the disk has what they tell of */
  constructor(plan: CrashPlan, isPowerSafe: boolean, random: Random) {
    this.#plan = plan;
    this.#isPowerSafe = isPowerSafe;
    this.#random = random;
  }

  /** A turn begins; it is the last of its engine if this gives a death. */
  next(now: number): Death | undefined {
    const plan = this.#plan;
    this.#turns++;
    if (plan instanceof Map) return plan.get(this.#turns);
    const random = plan as RandomCrashes;
    const isDoomed = this.#isDoomed;
    if (!isDoomed && !this.#isDue(random, now)) return undefined;
    this.#isDoomed = false;
    return this.#draw(isDoomed ? { ...random, reboots: REBOOTS_WHEN_DOOMED } : random);
  }

  /** The next turn is the last of its engine. */
  doom(): void {
    this.#isDoomed = true;
  }

  #isDue({ chance, most, span }: RandomCrashes, now: number): boolean {
    if (chance === 0 || this.#deaths >= most) return false;
    if (!isWithin(span, now) || !this.#random.chance(chance)) return false;
    this.#deaths++;
    return true;
  }

  #draw({ reboots, downtime }: RandomCrashes): Death {
    const random = this.#random;
    const isReboot = random.chance(reboots);
    // A store that did not wait for the disk is refused after a power cut: nothing to simulate.
    const isPowerCut = isReboot && this.#isPowerSafe && random.chance(0.7);
    return {
      at: random.pick(DEATH_POINTS),
      extent: isPowerCut ? 'power' : isReboot ? 'reboot' : 'process',
      downtime: random.fraction() * downtime,
      released: (count) => random.below(count + 1),
      lost: (unsynced) => random.below(unsynced + 1),
    };
  }
}
