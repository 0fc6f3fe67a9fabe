import { join } from 'node:path';
import t, { type Test } from 'tap';
import { removeConnection, stageConnection } from '../../persist/connections.ts';
import { Journal } from '../../persist/journal.ts';
import { readPeerRecords, storedTurn } from '../../persist/peer-records.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Durability } from '../../tcp/durability.ts';
import { Memory } from '../../tcp/memory.ts';
import { Pcb, RECORD_WIDTH } from '../../tcp/pcb.ts';
import { RecordPool } from '../../tcp/record.ts';
import { State } from '../../tcp/state.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const pool = new RecordPool(RECORD_WIDTH);
const owner = {
  sendBuffer: 2 ** 20,
  receiveBuffer: 2 ** 20,
  memory: new Memory(Number.POSITIVE_INFINITY),
  touched: () => {},
};

function connection(id: number, durability: number): Pcb {
  const pcb = new Pcb(pool, owner);
  pcb.ID = id;
  pcb.STATE = State.ESTABLISHED;
  pcb.DURABILITY = durability;
  return pcb;
}

function open(t: Test, directory = join(temporaryDirectory(t), 'store')) {
  const journal = Journal.open(directory);
  t.teardown(() => journal.close());
  const commit = (...pcbs: Pcb[]) => {
    for (const pcb of pcbs) stageConnection(journal, pcb);
    return journal.commit();
  };
  return { directory, journal, commit };
}

/** RCV.NXT of each connection that may be spoken for, by its ID. */
function told(directory: string): Record<number, number> {
  const found: Record<number, number> = {};
  for (const record of readPeerRecords(directory).records) {
    const pcb = new Pcb(pool, owner);
    pcb.record.set(record);
    found[pcb.ID] = pcb.RCV_NXT;
  }
  return found;
}

t.test('with process, what was committed is told', async (t) => {
  const { directory, journal, commit } = open(t);
  const [one, two] = [connection(1, Durability.PROCESS), connection(2, Durability.PROCESS)];
  one.RCV_NXT = 1000;
  two.RCV_NXT = 2000;
  const turn = commit(one, two);
  t.same(told(directory), { 1: 1000, 2: 2000 });
  t.equal(readPeerRecords(directory).turn, turn);
  one.RCV_NXT = 1500;
  removeConnection(journal, two);
  t.equal(commit(one), turn + 1);
  t.same(told(directory), { 1: 1500 });
  t.equal(storedTurn(directory), turn + 1);
});

t.test('what an engine may have to take back is not', async (t) => {
  const { directory, journal, commit } = open(t);
  const [open_, ended] = [connection(1, Durability.PROCESS), connection(2, Durability.PROCESS)];
  ended.STATE = State.CLOSE_WAIT;
  ended.FIN_RECEIVED = 1;
  journal.isTentative = true;
  commit(open_, ended);
  t.same(told(directory), { 2: 0 });
  journal.isTentative = false;
  t.same(told(directory), { 1: 0, 2: 0 });
});

t.test('with power, what a checkpoint has is told, and no more', async (t) => {
  const { directory, journal, commit } = open(t);
  journal.durability = 'power';
  const [power, process_] = [connection(1, Durability.POWER), connection(2, Durability.PROCESS)];
  power.RCV_NXT = process_.RCV_NXT = 1000;
  const turn = commit(power, process_);
  await new Promise<void>((resolve) => {
    journal.onSynced = () => {
      if (journal.synced >= turn) resolve();
    };
    journal.sync();
  });
  power.RCV_NXT = process_.RCV_NXT = 2000;
  commit(power, process_, connection(3, Durability.POWER));
  t.same(told(directory), { 1: 1000, 2: 2000 });
  removeConnection(journal, power);
  commit();
  t.same(told(directory), { 2: 2000 }, 'nor what is gone since');
});

t.test('all that was closed is told', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory, { durability: 'power' });
  for (const [id, durability] of [Durability.PROCESS, Durability.POWER].entries())
    stageConnection(journal, connection(id + 1, durability));
  journal.commit();
  await journal.close();
  t.same(told(directory), { 1: 0, 2: 0 });
});

t.test('where there is no store, nothing is', async (t) => {
  t.throws(() => readPeerRecords(temporaryDirectory(t)), StoreError);
});
