/**
 * Opens each store that a line on stdin names, as an engine of another boot would, and says on stdout what it found: a line of
 * JSON for each. Then it goes on with the store for a while, and looks whether all is still there.
 */

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { restoreConnections, salvageConnections } from '../../../persist/connections.ts';
import { Journal } from '../../../persist/journal.ts';
import type { RestorePoint } from '../../../persist/restore-point.ts';
import { StoreError } from '../../../persist/store-error.ts';
import { Table } from '../../../persist/table.ts';
import { witnessOf } from '../../../persist/witness.ts';
import { Stack } from '../../../tcp/stack.ts';
import { State } from '../../../tcp/state.ts';
import { digestsOf, type Records } from './record-digests.ts';

/** What became of a connection. */
export interface Survivor {
  readonly id: number;
  readonly outlivesHost: boolean;
  readonly isOpen: boolean;
  readonly isListener: boolean;
  /** Bytes that can be read. */
  readonly readable: number;
}

export type Restored =
  | { readonly refused: string }
  | {
      readonly turn: number;
      readonly from: RestorePoint['from'];
      readonly records: Records;
      readonly connections: readonly Survivor[];
      /** Whether the store kept what it had while it was used again. */
      readonly stays: boolean;
    };

const TURNS = 20;

async function restore(directory: string): Promise<Restored> {
  const store = join(directory, 'store');
  const options = { witness: witnessOf(store), reserve: 65_536 };
  let journal: Journal;
  try {
    journal = Journal.open(store, options);
  } catch (error) {
    if (error instanceof StoreError) return { refused: error.message };
    throw error;
  }
  const { turn } = journal.facts;
  const from = journal.restoredFrom;
  const records = digestsOf(journal);
  const connections = survivorsOf(journal);
  for (let i = 0; i < TURNS; i++) {
    journal.put(Table.handle, i % 3, 0, Buffer.alloc(9000, i));
    journal.commit();
  }
  for (let i = 0; i < 3; i++) journal.delete(Table.handle, i, 0);
  journal.commit();
  const used = JSON.stringify(digestsOf(journal));
  await journal.close();
  const again = Journal.open(store, options);
  const stays = JSON.stringify(digestsOf(again)) === used;
  await again.close();
  return { turn, from, records, connections, stays };
}

function survivorsOf(journal: Journal): Survivor[] {
  const stack = new Stack({
    address: '10.7.0.2',
    prefix: 24,
    mtu: 1500,
    secret: Buffer.alloc(32),
    entropy: () => 1,
    now: 0,
  });
  if (journal.hostWentDown) salvageConnections(journal, stack);
  else restoreConnections(journal, stack);
  return [...stack.pcbs.values()].map((pcb) => ({
    id: pcb.ID,
    outlivesHost: pcb.DURABILITY === 1,
    isOpen: pcb.STATE !== State.CLOSED,
    isListener: pcb.STATE === State.LISTEN,
    readable: pcb.readable,
  }));
}

for await (const directory of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await restore(directory))}\n`);
