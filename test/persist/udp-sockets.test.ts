import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  removeConnection,
  restoreConnections,
  salvageConnections,
  stageConnection,
} from '../../persist/connections.ts';
import { Journal } from '../../persist/journal.ts';
import { RecordsInMemory } from '../../persist/records-in-memory.ts';
import { Table } from '../../persist/table.ts';
import { Stack } from '../../tcp/stack.ts';
import type { UdpPcb } from '../../tcp/udp/udp-pcb.ts';
import { packet } from '../tcp/forge.ts';
import { writeUdp } from '../tcp/udp-datagram.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

const [HERE, THERE] = ['10.7.0.2', '10.7.0.1'];
const UDP = 17;

function newStack(): Stack {
  return new Stack({
    address: HERE,
    prefix: 24,
    mtu: 65535,
    secret: new Uint8Array(16),
    entropy: () => 0,
    now: 0,
  });
}

function arrive(stack: Stack, destinationPort: number, payload: Uint8Array, sourcePort = 9): void {
  const ends = { source: THERE, sourcePort, destination: HERE, destinationPort };
  const bytes = packet(THERE, HERE, UDP, writeUdp({ ...ends, payload }));
  stack.arrive(bytes, 0, bytes.length, 0);
}

function stage(journal: RecordsInMemory | Journal, stack: Stack): void {
  for (const pcb of stack.takeRemoved()) removeConnection(journal, pcb);
  for (const pcb of stack.takeDirty()) stageConnection(journal, pcb);
}

/** The next engine's. */
function restored(journal: Journal): Stack {
  const stack = newStack();
  restoreConnections(journal, stack);
  stack.resume(0, { began: 0, atLeast: 0, estimate: 0 });
  return stack;
}

function receive(stack: Stack, pcb: UdpPcb): string | undefined {
  const target = new Uint8Array(65535);
  const datagram = stack.udp.receive(pcb, target);
  return datagram && Buffer.from(target.subarray(0, datagram.length)).toString('hex');
}

t.test('whatever comes and is read, each engine finds what the one before left', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const directory = join(temporaryDirectory(t), 'store');
  let journal = Journal.open(directory, { reserve: 0 });
  let stack = newStack();
  /** What waits at each port, oldest first. */
  const model = new Map<number, string[]>();
  for (let step = 0; step < 600; step++) {
    for (let action = random.below(6); action > 0; action--) {
      const port = 1 + random.below(8);
      const waiting = model.get(port);
      const pcb = [...stack.udp.pcbs.values()].find(({ LOCAL_PORT }) => LOCAL_PORT === port);
      if (pcb === undefined || waiting === undefined) {
        stack.udp.bind(stack.udp.create(), { address: '::', port });
        model.set(port, []);
      } else if (random.below(40) === 0) {
        stack.udp.close(pcb);
        model.delete(port);
      } else if (random.below(2) === 0) {
        const payload = new Uint8Array(
          random.below(4) === 0 ? random.below(40_000) : random.below(300),
        );
        payload.fill(random.below(256));
        const { DROPS } = pcb;
        arrive(stack, port, payload);
        if (pcb.DROPS === DROPS) waiting.push(Buffer.from(payload).toString('hex'));
      } else if (receive(stack, pcb) !== waiting.shift()) {
        t.fail(`another datagram in step ${step}`);
      }
    }
    stage(journal, stack);
    journal.commit();
    if (random.below(25) !== 0) continue;
    await journal.close();
    journal = Journal.open(directory, { reserve: 0 });
    stack = restored(journal);
  }
  const left = [...stack.udp.pcbs.values()].map((pcb) => pcb.LOCAL_PORT).sort();
  t.same(left, [...model.keys()].sort());
  for (const pcb of stack.udp.pcbs.values()) {
    for (const expected of model.get(pcb.LOCAL_PORT)!) t.equal(receive(stack, pcb), expected);
    t.equal(receive(stack, pcb), undefined);
    stack.udp.close(pcb);
  }
  stage(journal, stack);
  journal.commit();
  for (const table of [Table.udpSocket, Table.datagramChunk]) t.same([...journal.scan(table)], []);
  await journal.close();
});

/** Two datagrams at port 53, journaled in memory. */
function twoDatagrams(change: (pcb: UdpPcb, stack: Stack) => void = () => {}): RecordsInMemory {
  const stack = newStack();
  const pcb = stack.udp.create();
  stack.udp.bind(pcb, { address: '::', port: 53 });
  change(pcb, stack);
  arrive(stack, 53, Buffer.from('one'));
  arrive(stack, 53, Buffer.from('two'));
  const records = new RecordsInMemory();
  stage(records, stack);
  return records;
}

function onlySocketOf(stack: Stack): UdpPcb {
  return stack.udp.pcbs.values().next().value!;
}

t.test('after a crash of the host', async (t) => {
  for (const [durability, expected] of [
    [0, undefined],
    [1, '6f6e65'],
  ] as const) {
    const records = twoDatagrams((pcb, { udp }) => udp.setOption(pcb, 'DURABILITY', durability));
    const stack = newStack();
    salvageConnections(records, stack);
    const pcb = onlySocketOf(stack);
    t.equal(pcb.LOCAL_PORT, 53);
    t.equal(receive(stack, pcb), expected);
    t.equal([...records.scan(Table.datagramChunk)].length, durability, 'what is left is staged');
  }
});

t.test('what is damaged is refused', async (t) => {
  const refuses = (t: Test, name: string, damage: (records: RecordsInMemory) => void) => {
    const records = twoDatagrams();
    damage(records);
    t.throws(() => restoreConnections(records, newStack()), { name });
  };
  const [chunk] = [...twoDatagrams().scan(Table.datagramChunk)];
  refuses(t, 'StoreError', (records) => records.delete(Table.datagramChunk, 1, 0));
  refuses(t, 'StoreError', (records) => records.delete(Table.udpSocket, 1, 0));
  refuses(t, 'StoreError', (records) => records.put(Table.udpSocket, 1, 0, new Uint8Array(8)));
  refuses(t, 'RecordError', (records) => {
    const bytes = Uint8Array.from(chunk!.value);
    // The length of the first: behind the offset of the chunk, at the end of what stands before each datagram.
    bytes[8 + 35]! += 1;
    records.put(Table.datagramChunk, 1, 0, bytes);
  });
});
