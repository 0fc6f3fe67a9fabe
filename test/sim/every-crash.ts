import { DEATH_POINTS, type Death, type DeathPoint, type Extent } from './death.ts';
import { type DurableState, difference, durableStatesOf } from './durable-state.ts';
import type { Witness } from './network-host.ts';
import { type ShortRun, scenarioOfShortRun } from './short-runs.ts';
import { run } from './simulation.ts';
import type { Store } from './store.ts';

/** One death in a short run. */
export interface Crash {
  readonly host: number;
  /** In which turn of the host. */
  readonly turn: number;
  readonly at: DeathPoint;
  /** How many packets of the turn still leave. */
  readonly released: number;
  readonly extent: Extent;
  /** How many turns are lost to a power cut, if so many are to be lost. */
  readonly lost: number;
  /** Where the next engine dies in its first turn; undefined: it does not. */
  readonly again: DeathPoint | undefined;
}

/** How long a commit takes to reach the disk, when it is waited for, milliseconds. */
const COMMIT_LAG = 3;
const DOWNTIME = 1;

/** An engine's turn of a run without deaths. */
interface Turn {
  /** The journal's. */
  readonly number: number;
  readonly states: readonly DurableState[];
  readonly packets: number;
}

class Recorder implements Witness {
  readonly turns: readonly Turn[][] = [[], []];

  committed(
    host: number,
    number: number,
    stack: Parameters<Witness['committed']>[2],
    packets: number,
  ): void {
    this.turns[host]!.push({ number, states: durableStatesOf(stack), packets });
  }

  restored(): void {}
}

/** Compares what is restored with what the same inputs led to in a life without deaths. */
class Comparison implements Witness {
  readonly #turns: readonly Turn[];
  #restored: number | undefined;
  #difference: string | undefined;

  constructor(turns: readonly Turn[]) {
    this.#turns = turns;
  }

  committed(): void {}

  restored(_host: number, number: number, stack: Parameters<Witness['restored']>[2]): void {
    // What a second engine has done is not in the life to compare with.
    if (this.#restored !== undefined) return;
    this.#restored = number;
    const turn = this.#turns.findLast((one) => one.number === number);
    this.#difference = difference(turn?.states ?? [], durableStatesOf(stack));
  }

  /** @param expected the journal's turn that must have come back; undefined: an earlier one may have */
  failure(expected: number | undefined): string | undefined {
    if (this.#restored === undefined) return 'nobody died';
    if (expected !== undefined && expected !== this.#restored) {
      return `turn ${this.#restored} is restored instead of ${expected}`;
    }
    if (this.#difference === undefined) return undefined;
    return `after the restore of turn ${this.#restored}: ${this.#difference}`;
  }
}

/** A short run under one durability, and what becomes of it when an engine dies. */
export class ShortLife {
  readonly #run: ShortRun;
  readonly #commitLag: number;
  readonly #newStore: (() => Store) | undefined;
  readonly #turns: readonly (readonly Turn[])[];

  /** @throws Error it fails without any death */
  constructor(run: ShortRun, isPowerSafe: boolean, newStore?: () => Store) {
    this.#run = run;
    this.#commitLag = isPowerSafe ? COMMIT_LAG : 0;
    this.#newStore = newStore;
    const recorder = new Recorder();
    const failure = this.#live([{}, {}], recorder);
    if (failure !== undefined) throw new Error(failure);
    this.#turns = recorder.turns;
  }

  /** Every death there is: of either host, in every turn, at every point of it, with every number of packets gone, alone or with the next engine's. */
  *crashes(): Generator<Crash> {
    const extents: Extent[] = this.#commitLag > 0 ? ['process', 'power'] : ['process'];
    for (const [host, turns] of this.#turns.entries()) {
      for (const [i, { packets }] of turns.entries()) {
        for (const at of DEATH_POINTS) {
          const most = at === 'releasing' ? packets : 0;
          const successors = at === 'committed' ? [undefined, ...DEATH_POINTS] : [undefined];
          for (let released = 0; released <= most; released++) {
            for (const extent of extents) {
              for (const again of successors) {
                yield { host, turn: i + 1, at, released, extent, lost: 0, again };
              }
            }
          }
        }
      }
    }
  }

  /**
   * Lives with `crash` to the end; with a power cut, once for each number of turns that it may take away.
   * @returns what went wrong
   */
  *failuresOf(crash: Crash): Generator<string> {
    let most = 0;
    for (let lost = 0; lost <= most; lost++) {
      const { at, extent, released, host, turn, again } = crash;
      const death: Death = {
        at,
        extent,
        downtime: DOWNTIME,
        released: () => released,
        lost: (unsynced) => {
          most = unsynced;
          return lost;
        },
      };
      const deaths = new Map([[turn, death]]);
      if (again !== undefined) {
        deaths.set(turn + 1, { ...death, at: again, released: (count) => count, lost: () => 0 });
      }
      const comparison = new Comparison(this.#turns[host]!);
      const hosts = [0, 1].map((i) => (i === host ? { crashes: deaths } : {}));
      const failure = this.#live(hosts, comparison) ?? comparison.failure(this.#expected(crash));
      if (failure !== undefined) yield `${JSON.stringify({ ...crash, lost })}: ${failure}`;
    }
  }

  /** The turn of the journal that a restore must bring back, where a death leaves no choice. */
  #expected({ host, turn, at, extent }: Crash): number | undefined {
    const turns = this.#turns[host]!;
    const isCommitted = at === 'committed' || at === 'releasing';
    // While an output waits for the disk its engine goes on.
    const goesOn = at === 'releasing' && this.#commitLag > 0;
    if (extent === 'power' || goesOn) return undefined;
    return turns[turn - (isCommitted ? 1 : 2)]?.number;
  }

  #live(hosts: readonly object[], witness: Witness): string | undefined {
    const commitLag = this.#commitLag;
    const scenario = scenarioOfShortRun(
      this.#run,
      hosts.map((host) => ({ commitLag, ...host })),
    );
    const newStore = this.#newStore;
    return run(scenario, { witness, ...(newStore && { newStore }) }).failure;
  }
}
