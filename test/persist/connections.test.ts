import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  removeConnection,
  restoreConnections,
  stageConnection,
} from '../../persist/connections.ts';
import { Journal } from '../../persist/journal.ts';
import { DATA_FILE } from '../../persist/layout.ts';
import { Table } from '../../persist/table.ts';
import { Memory } from '../../tcp/memory.ts';
import { Pcb, RECORD_WIDTH } from '../../tcp/pcb.ts';
import { RecordPool } from '../../tcp/record.ts';
import { seqAdd } from '../../tcp/sequence.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

const BUFFER = 2 ** 20;

/** As much of a stack as makes and restores PCBs. */
class Pcbs {
  readonly byId = new Map<number, Pcb>();
  readonly #pool = new RecordPool(RECORD_WIDTH);
  readonly #owner = {
    sendBuffer: BUFFER,
    receiveBuffer: BUFFER,
    memory: new Memory(Infinity),
    touched: () => {},
  };

  readonly udp = {
    restore: () => {
      throw new Error('there is none');
    },
  };

  create(id: number): Pcb {
    const pcb = new Pcb(this.#pool, this.#owner);
    pcb.ID = id;
    this.byId.set(id, pcb);
    return pcb;
  }

  restore(record: Uint8Array): Pcb {
    const pcb = new Pcb(this.#pool, this.#owner);
    pcb.record.set(record);
    this.byId.set(pcb.ID, pcb);
    return pcb;
  }
}

/** The peer has sent `bytes`. */
function arrive(pcb: Pcb, bytes: Uint8Array): void {
  const { receiveStream, RECEIVE_END } = pcb;
  receiveStream.write(RECEIVE_END, bytes);
  pcb.takeIn(RECEIVE_END + bytes.length);
}

/** What the journal has of a connection, as far as bytes go. */
function snapshot(pcb: Pcb) {
  const { SEND_START, SEND_END, RECEIVE_START, RECEIVE_END } = pcb;
  const sent = Buffer.alloc(SEND_END - SEND_START);
  if (sent.length > 0) pcb.sendStream.copy(SEND_START, sent.length, sent);
  const received = Buffer.alloc(RECEIVE_END - RECEIVE_START);
  if (received.length > 0) pcb.receiveStream.copy(RECEIVE_START, received.length, received);
  return {
    SEND_START,
    RECEIVE_START,
    record: Buffer.from(pcb.record).toString('hex'),
    sent: digest(sent),
    received: digest(received),
  };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Some of what was read last, and all that waits to be read, has not arrived after all: see unreceive.ts. */
function giveBack(pcb: Pcb, count: number): void {
  const from = Math.max(0, pcb.RECEIVE_START - count);
  pcb.RCV_NXT = seqAdd(pcb.RCV_NXT, from - pcb.RECEIVE_END);
  pcb.RECEIVE_START = from;
  pcb.RECEIVE_END = from;
  pcb.receiveStream.reset(from);
}

function countRecords(journal: Journal, table: Table): number {
  return [...journal.scan(table)].length;
}

t.test('what is restored is what was staged, whatever came before', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const directory = join(temporaryDirectory(t), 'store');
  let journal = Journal.open(directory);
  let pcbs = new Pcbs();
  let nextId = 1;
  const model = new Map<number, ReturnType<typeof snapshot>>();
  let reopenings = 0;
  for (let step = 0; step < 3000; step++) {
    const dirty = new Set<Pcb>();
    for (let i = random.below(4); i >= 0; i--) {
      const ids = [...pcbs.byId.keys()];
      const pcb = pcbs.byId.get(ids[random.below(ids.length)] ?? 0);
      const size = [1, 300, 5000, 200_000][random.below(4)]!;
      switch (random.below(9)) {
        case 0:
          if (pcbs.byId.size < 10) dirty.add(pcbs.create(nextId++));
          break;
        case 1:
        case 2:
          if (pcb?.queue(random.bytes(1 + random.below(size)))) dirty.add(pcb);
          break;
        case 3: {
          // An acknowledgment alone does not make the record dirty.
          const all = (pcb?.SEND_END ?? 0) - (pcb?.SEND_START ?? 0);
          const count = random.below(2) === 0 ? all : random.below(all + 1);
          if (count > 0) pcb?.acknowledge(seqAdd(pcb.SND_UNA, count));
          break;
        }
        case 4:
        case 5: {
          const count = Math.min(1 + random.below(size), pcb?.receiveSpace ?? 0);
          if (pcb === undefined || count === 0) break;
          arrive(pcb, random.bytes(count));
          dirty.add(pcb);
          break;
        }
        case 6: {
          const count = random.below(2) === 0 ? BUFFER : random.below(size);
          if (pcb?.read(Buffer.alloc(count))) dirty.add(pcb);
          break;
        }
        case 7:
          if (pcb === undefined || random.below(3) !== 0) break;
          giveBack(pcb, random.below(size));
          dirty.add(pcb);
          break;
        case 8:
          if (pcb === undefined || random.below(20) !== 0) break;
          pcbs.byId.delete(pcb.ID);
          dirty.delete(pcb);
          model.delete(pcb.ID);
          removeConnection(journal, pcb);
          break;
      }
    }
    for (const pcb of dirty) {
      stageConnection(journal, pcb);
      model.set(pcb.ID, snapshot(pcb));
    }
    journal.commit();
    if (random.below(40) !== 0) continue;
    await journal.close();
    journal = Journal.open(directory);
    pcbs = new Pcbs();
    restoreConnections(journal, pcbs);
    reopenings += 1;
    const restored = [...pcbs.byId].map(([id, pcb]) => [id, snapshot(pcb)]);
    const expected = [...model].sort(([a], [b]) => a - b);
    if (JSON.stringify(restored) !== JSON.stringify(expected)) {
      t.fail(`restored something else after step ${step}`);
      break;
    }
  }
  t.ok(reopenings > 30, `${reopenings} reopenings`);
  for (const pcb of pcbs.byId.values()) removeConnection(journal, pcb);
  journal.commit();
  for (const table of [Table.connection, Table.sendChunk, Table.receiveChunk])
    t.equal(countRecords(journal, table), 0, 'a connection that is removed leaves nothing');
  await journal.close();
});

t.test('a long stream through a window uses its slots again', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const journal = Journal.open(directory);
  const pcb = new Pcbs().create(1);
  const piece = Buffer.alloc(100_000, 'stream');
  const target = Buffer.alloc(piece.length);
  let largest = 0;
  for (let streamed = 0; streamed < 2 * 2 ** 30; streamed += piece.length) {
    if (pcb.receiveSpace < piece.length) {
      pcb.read(target);
      pcb.read(target);
    }
    arrive(pcb, piece);
    stageConnection(journal, pcb);
    journal.commit();
    if (streamed % 10_000_000 === 0)
      largest = Math.max(largest, countRecords(journal, Table.receiveChunk));
  }
  // A window of 1 MiB in pieces of 100,000 bytes, each two chunks, and two pieces read in the same turn.
  t.ok(largest <= 2 * (Math.ceil(BUFFER / piece.length) + 2), `${largest} chunks at most`);
  // The window, as much again in pages that the transaction before still holds, and LMDB's free list.
  const { size } = statSync(join(directory, DATA_FILE));
  t.ok(size < 8 * BUFFER, `${size} bytes`);
  await journal.close();
});

t.test('a stream of single bytes makes no crumbs', async (t) => {
  const journal = Journal.open(join(temporaryDirectory(t), 'store'));
  const pcbs = new Pcbs();
  const pcb = pcbs.create(1);
  for (let i = 0; i < 20_000; i++) {
    pcb.queue(Buffer.from([i]));
    stageConnection(journal, pcb);
    journal.commit();
  }
  // A chunk is added to until it has 4 KiB.
  t.equal(countRecords(journal, Table.sendChunk), Math.ceil(20_000 / 4096));
  await journal.close();
});

t.test('an empty stream leaves a small record at most', async (t) => {
  const journal = Journal.open(join(temporaryDirectory(t), 'store'));
  const pcb = new Pcbs().create(1);
  const turn = (act: () => void) => {
    act();
    stageConnection(journal, pcb);
    journal.commit();
  };
  turn(() => arrive(pcb, Buffer.alloc(300_000)));
  t.equal(countRecords(journal, Table.receiveChunk), 5);
  turn(() => pcb.read(Buffer.alloc(300_000)));
  t.equal(countRecords(journal, Table.receiveChunk), 0);
  turn(() => arrive(pcb, Buffer.from('short')));
  turn(() => pcb.read(Buffer.alloc(5)));
  t.equal(countRecords(journal, Table.receiveChunk), 1);
  t.equal(pcb.receiveStream.capacity, 0);
  await journal.close();
});

t.test('bytes that are missing are noticed', async (t) => {
  const cases: [string, (journal: Journal) => void][] = [
    ['no record', (journal) => journal.delete(Table.connection, 1, 0)],
    ['no first chunk', (journal) => journal.delete(Table.sendChunk, 1, 0)],
    ['no chunk between', (journal) => journal.delete(Table.sendChunk, 1, 1)],
    ['no last chunk', (journal) => journal.delete(Table.sendChunk, 1, 2)],
    ['a short record', (journal) => journal.put(Table.connection, 1, 0, Buffer.alloc(8))],
    ['an empty chunk', (journal) => journal.put(Table.sendChunk, 1, 3, Buffer.alloc(8))],
    ['no received bytes', (journal) => journal.delete(Table.receiveChunk, 1, 0)],
    [
      'bytes too many',
      (journal) => {
        const value = Buffer.alloc(18);
        value.writeUInt32BE(200_000, 4);
        journal.put(Table.sendChunk, 1, 3, value);
      },
    ],
  ];
  for (const [name, damage] of cases) await t.test(name, (t) => isNoticed(t, damage));
});

async function isNoticed(t: Test, damage: (journal: Journal) => void): Promise<void> {
  const journal = Journal.open(join(temporaryDirectory(t), 'store'));
  const pcb = new Pcbs().create(1);
  pcb.queue(Buffer.alloc(200_000));
  arrive(pcb, Buffer.from('received'));
  // Slots are taken in the order of the stream: 65,500 bytes at each of 0, 1 and 2, and the rest at 3.
  stageConnection(journal, pcb);
  journal.commit();
  damage(journal);
  journal.commit();
  t.throws(() => restoreConnections(journal, new Pcbs()), { name: 'StoreError' });
  await journal.close();
}
