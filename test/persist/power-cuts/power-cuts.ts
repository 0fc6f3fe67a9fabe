import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATA_FILE, SNAPSHOT_FILE } from '../../../persist/layout.ts';
import { Table } from '../../../persist/table.ts';
import { TestDisk } from '../../disk/disk.ts';
import { readDiskLog } from '../../disk/disk-log.ts';
import { CUTS, ModelDisk } from '../../disk/model-disk.ts';
import { Random } from '../../sim/random.ts';
import { LEVELS, type Level, type Mark, Promises } from './marks.ts';
import type { Records } from './record-digests.ts';
import type { Restored } from './restore-images.ts';
import { Restorer } from './restorer.ts';

const LIFE = fileURLToPath(new URL('life.ts', import.meta.url));

/** Of each life, how many power cuts are tried. */
const CUTS_OF_A_LIFE = 20;
/** A life goes on from what a power cut has left of the one before, so many times. */
const LIVES = 4;
const ENGINES = 3;
const TURNS = 120;

export interface Outcome {
  /** What was wrong, a line each. */
  readonly failures: readonly string[];
  /** How many images were made in each way, and where what was restored came from. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Lets journals live, cuts their power, and opens what may be left on the disk.
 * @param level `process`, or `power`: then every other time only some connections are to outlive a power cut
 */
export async function cutPower(
  images: number,
  level: 'process' | 'power',
  seed: number,
): Promise<Outcome> {
  const ends: (() => void)[] = [];
  const disk = new TestDisk({ teardown: (end) => ends.push(end) });
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-power-cuts-'));
  const failures: string[] = [];
  const counts = new Map<string, number>();
  const levels = LEVELS.filter((name) => (name === 'process') === (level === 'process'));
  for (let made = 0, run = 0; made < images; run += 1) {
    const random = new Random(BigInt(seed) * 2n ** 20n + BigInt(run));
    const runs = new PowerCuts(disk, directory, levels[run % levels.length]!, random, counts);
    const wanted = Math.min(images - made, LIVES * CUTS_OF_A_LIFE);
    for (const failure of await runs.run(wanted))
      failures.push(`--durability ${level} --seed ${seed}, run ${run}: ${failure}`);
    made += wanted;
  }
  rmSync(directory, { recursive: true, force: true });
  for (const end of ends) end();
  return { failures, counts };
}

/** One store, from one power cut to the next. */
class PowerCuts {
  readonly #disk: TestDisk;
  readonly #base: string;
  readonly #image: string;
  readonly #log: string;
  readonly #bootId: string;
  readonly #level: Level;
  readonly #random: Random;
  readonly #counts: Map<string, number>;
  readonly #restorer: Restorer;
  #failures: string[] = [];
  /** What the store held when the life began. */
  #before: Exclude<Restored, { refused: string }> | undefined;

  constructor(
    disk: TestDisk,
    directory: string,
    level: Level,
    random: Random,
    counts: Map<string, number>,
  ) {
    this.#disk = disk;
    this.#base = join(directory, 'disk');
    this.#image = join(directory, 'image');
    this.#log = join(directory, 'log');
    this.#bootId = join(directory, 'boot-id');
    this.#level = level;
    this.#random = random;
    this.#counts = counts;
    const laterBoot = join(directory, 'later-boot-id');
    writeFileSync(laterBoot, 'ffffffff-ffff-ffff-ffff-ffffffffffff\n');
    // Syncs cost time and prove nothing here: they go to a log that nobody reads.
    this.#restorer = new Restorer(
      disk.environment(directory, { log: '/dev/null', bootId: laterBoot }),
    );
  }

  async run(images: number): Promise<readonly string[]> {
    rmSync(this.#base, { recursive: true, force: true });
    mkdirSync(this.#base);
    for (let made = 0, life = 0; made < images; life += 1) {
      const model = new ModelDisk(this.#base, this.#random);
      await this.#live(life);
      const wanted = Math.min(images - made, CUTS_OF_A_LIFE);
      await this.#cut(model, wanted, life);
      made += wanted;
    }
    await this.#restorer.end();
    return this.#failures;
  }

  /** A few engines, one after the other, in one boot of the host. */
  async #live(life: number): Promise<void> {
    const random = this.#random;
    writeFileSync(this.#bootId, `${String(life).padStart(8, '0')}-0000-0000-0000-000000000000\n`);
    rmSync(this.#log, { force: true });
    const environment = this.#disk.environment(this.#base, {
      log: this.#log,
      bootId: this.#bootId,
    });
    const fails = random.chance(0.3);
    if (fails) this.#disk.fail('sync', 'EIO', random.between(2, 6));
    for (let engine = 0; engine < random.between(1, ENGINES); engine += 1) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', LIFE, this.#base, this.#level, `${random.u32()}`, `${TURNS}`],
        {
          stdio: ['ignore', 'inherit', fails ? 'ignore' : 'inherit'],
          env: { ...process.env, ...environment },
        },
      );
      const [status] = await once(child, 'exit');
      if (status !== null && status !== 0 && !fails)
        this.#failures.push(`life ${life}: engine ${engine} ended with ${status}`);
    }
    this.#disk.heal();
  }

  async #cut(model: ModelDisk, images: number, life: number): Promise<void> {
    const random = this.#random;
    const events = readDiskLog(this.#log);
    const syncs = events.flatMap(({ kind }, at) => (kind === 'sync ends' ? [at] : []));
    const moments = Array.from({ length: images }, () => {
      const moment = random.chance(0.5)
        ? random.below(events.length)
        : random.pick(syncs) + random.between(-2, 4);
      return Math.min(Math.max(moment, 0), events.length);
    }).sort((a, b) => a - b);
    const survivor = random.below(images);
    let next: Exclude<Restored, { refused: string }> | undefined;
    const kept = `${this.#image}-kept`;
    let at = 0;
    for (const [number, moment] of moments.entries()) {
      for (; at < moment; at++) model.apply(events[at]!);
      const cut = random.pick(CUTS);
      rmSync(this.#image, { recursive: true, force: true });
      mkdirSync(this.#image);
      model.cut(this.#image, cut, DATA_FILE);
      rmSync(join(this.#image, 'marks'), { force: true });
      const untouched = `${this.#image}-untouched`;
      rmSync(untouched, { recursive: true, force: true });
      cpSync(this.#image, untouched, { recursive: true });
      const restored = await this.#restorer.restore(this.#image);
      const failure = this.#judge(model, restored);
      if (failure !== undefined) {
        const evidence = mkdtempSync(join(tmpdir(), 'holdfast-power-cut-'));
        cpSync(untouched, evidence, { recursive: true });
        this.#failures.push(
          `life ${life}, after ${moment} events (${cut}): ${failure}; ${evidence} is that disk`,
        );
      }
      this.#count(cut);
      if ('turn' in restored) this.#count(`restored from ${restored.from}`);
      if (number !== survivor || !('turn' in restored)) continue;
      next = restored;
      rmSync(kept, { recursive: true, force: true });
      renameSync(untouched, kept);
    }
    if (next === undefined) return;
    this.#before = next;
    rmSync(this.#base, { recursive: true });
    renameSync(kept, this.#base);
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** @returns what is wrong */
  #judge(model: ModelDisk, restored: Restored | { readonly died: string }): string | undefined {
    if ('died' in restored) return restored.died;
    if ('refused' in restored) return `refused: ${restored.refused}`;
    const { turn, from, records, connections, stays } = restored;
    if (!stays) return 'records were lost when it was used again';
    const promises = new Promises(this.#marksOf(model));
    const synced = Math.max(promises.synced, this.#level === 'process' ? 0 : this.#least);
    if (turn < synced) return `turn ${synced} was promised, turn ${turn} is there (from ${from})`;
    const hasSnapshot = model.isSynced(join(this.#base, 'store', SNAPSHOT_FILE));
    if (hasSnapshot && (from === 'nothing' || from === 'new'))
      return 'a snapshot was saved, and nothing is left';
    const expected = this.#expected(promises, turn);
    if (expected === undefined) return `turn ${turn} is older than what was opened`;
    const kept = from === 'snapshot' ? withoutStreams(expected) : expected;
    if (from !== 'nothing' && !isSame(kept, records)) return `turn ${turn} has other records`;
    for (const { id, outlivesHost, isOpen, isListener, readable } of connections) {
      if (outlivesHost || isListener || from === 'last turn') continue;
      if (isOpen || readable > 0) return `connection ${id} has not ended`;
    }
    return undefined;
  }

  get #least(): number {
    return this.#before?.turn ?? 0;
  }

  #expected(promises: Promises, turn: number): Records | undefined {
    if (promises.isRestored) {
      const records = promises.recordsAt(turn);
      if (records !== undefined) return records;
    }
    return this.#before?.turn === turn ? this.#before.records : turn <= 1 ? {} : undefined;
  }

  *#marksOf(model: ModelDisk): Generator<Mark> {
    for (const line of model.text(join(this.#base, 'marks')).split('\n').slice(0, -1))
      yield JSON.parse(line) as Mark;
  }
}

/** Of connections, what is left of them, but not their bytes. */
function withoutStreams(records: Records): Records {
  const tables: readonly number[] = [Table.connection, Table.node];
  return Object.fromEntries(
    Object.entries(records).filter(([key]) => tables.includes(Number(key.split('/')[0]))),
  );
}

function isSame(a: Records, b: Records): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
