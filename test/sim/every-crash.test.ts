import t from 'tap';
import { Table } from '../../persist/table.ts';
import { ShortLife } from './every-crash.ts';
import { MemoryStore } from './memory-store.ts';
import { SHORT_RUNS } from './short-runs.ts';
import type { EngineJournal } from './store.ts';

t.setTimeout(300_000);

for (const isPowerSafe of [false, true]) {
  t.test(isPowerSafe ? 'a power cut' : 'death of a process', async (t) => {
    for (const run of SHORT_RUNS) {
      const life = new ShortLife(run, isPowerSafe);
      const crashes = [...life.crashes()];
      const failures = crashes.flatMap((crash) => [...life.failuresOf(crash)]);
      t.ok(crashes.length > 0);
      t.strictSame(failures, [], `${run.name}: ${crashes.length} deaths`);
    }
  });
}

/** Loses its newest turn with its engine, though packets that tell of it have left. */
class LateStore extends MemoryStore {
  override open(): EngineJournal {
    this.cutPower(this.unsynced);
    return super.open();
  }

  override sync(turn: number): void {
    super.sync(turn === Infinity ? turn : turn - 1);
  }
}

/** Does not write every fourth record of a connection. */
class LeakyStore extends MemoryStore {
  #count = 0;

  override open(): EngineJournal {
    const journal = super.open();
    const put = journal.put.bind(journal);
    journal.put = (table, id, index, value) => {
      if (table === Table.connection && ++this.#count % 4 === 0) return;
      put(table, id, index, value);
    };
    return journal;
  }
}

t.test('a store that does not keep its promise is found out', async (t) => {
  for (const Liar of [LateStore, LeakyStore]) {
    const life = new ShortLife(SHORT_RUNS[0]!, false, () => new Liar());
    const crashes = [...life.crashes()].filter(({ at }) => at === 'arrived');
    const failures = crashes.flatMap((crash) => [...life.failuresOf(crash)]);
    t.ok(failures.length > 0, `${Liar.name}: ${failures.length} of ${crashes.length} deaths`);
  }
});
