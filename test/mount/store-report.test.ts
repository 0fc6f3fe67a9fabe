import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { CTL } from '../../fs/files.ts';
import { encodeHandle } from '../../fs/handle-record.ts';
import { formatReport, reportOn, type StoreReport } from '../../mount/store-report.ts';
import type { Journal } from '../../persist/journal.ts';
import { DATA_FILE, TURN_FILE } from '../../persist/layout.ts';
import { StoreError } from '../../persist/store-error.ts';
import { Table } from '../../persist/table.ts';
import { RECORD_LAYOUT } from '../../tcp/pcb.ts';
import { HERE, THERE } from '../fs/world.ts';
import { pretendOtherBoot } from '../persist/other-boot.ts';
import { chooseSeed, Random } from '../persist/random.ts';
import { temporaryDirectory } from '../persist/temporary-directory.ts';
import { makeWorld, storeOf } from './store-of-world.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

const PAGE = 4096;

/** Each file and its bytes. */
function filesOf(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [
      name,
      readFileSync(join(directory, name)).toString('base64'),
    ]),
  );
}

t.test('a sound store: all that is in it, and nothing is changed', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  await storeOf(makeWorld(), directory);
  const before = filesOf(directory);
  const report = reportOn(directory);
  t.same(report.problems, []);
  t.match(report, { restores_from: 'last turn', closed: true, turn: 2, epoch: 0 });
  t.same(report.states, { LISTEN: 1, ESTABLISHED: 2, CLOSED: 1 });
  const named = Object.fromEntries(report.connections.map((one) => [one.name, one]));
  t.match(named['srv'], { state: 'LISTEN', local: `${HERE}:8080`, remote: '' });
  t.match(named['idle'], { state: 'CLOSED', local: '', remote: '' });
  t.match(named['chat'], { state: 'ESTABLISHED', remote: `${THERE}:9000` });
  t.equal(named['chat']?.unread_bytes, 'nobody has read this'.length);
  t.equal(named['chat']?.unacknowledged_bytes, 5000);
  t.match(named[''], { state: 'ESTABLISHED', local: `${HERE}:8080` }, 'not accepted yet');
  t.match(report.udp_sockets, [
    { name: 'dns', local: `${HERE}:53`, remote: '', unread_datagrams: 2 },
  ]);
  t.match(formatReport(report), new RegExp(`^udp_socket 5 dns ${HERE}:53 - unread 2$`, 'm'));
  t.same(filesOf(directory), before);
});

/** Where a field lies in a connection's record. */
function offsetOf(field: string): number {
  return RECORD_LAYOUT.find(({ name }) => name === field)!.offset;
}

const CHAT = 3;
const IDLE = 4;
const DNS = 5;

/** The record of `chat`, changed. */
function chatWith(journal: Journal, id: number, change: (record: DataView) => void): void {
  const record = Uint8Array.from(makeWorld().here.pcbs.get(CHAT)!.record);
  change(new DataView(record.buffer));
  journal.put(Table.connection, id, 0, record);
}

t.test('what contradicts something is told, each in a line', async (t) => {
  const cases: [string, RegExp, (journal: Journal) => void][] = [
    [
      'two connections with the same sockets',
      /connection 4 has the sockets of another/,
      (journal) => {
        chatWith(journal, IDLE, (record) => {
          record.setFloat64(offsetOf('ID'), IDLE, true);
          for (const field of ['SEND_START', 'RECEIVE_START'])
            record.setFloat64(offsetOf(field), 0, true);
          for (const field of ['SEND_END', 'RECEIVE_END'])
            record.setFloat64(offsetOf(field), 0, true);
        });
      },
    ],
    [
      'a record under the key of another',
      /connection 3 is there twice/,
      (journal) => chatWith(journal, IDLE, () => {}),
    ],
    [
      'no state of TCP',
      /connection 3 is in no state/,
      (journal) => chatWith(journal, CHAT, (record) => record.setUint8(offsetOf('STATE'), 99)),
    ],
    [
      'a stream with a gap',
      /connection 3 has lost its bytes/,
      (journal) => journal.delete(Table.receiveChunk, CHAT, 0),
    ],
    [
      'bytes without a connection',
      /connection 9 has bytes but no record/,
      (journal) => journal.put(Table.sendChunk, 9, 0, Buffer.alloc(20)),
    ],
    [
      'a name twice',
      /name that another has/,
      (journal) => {
        const [, chat] = [...makeWorld().records.of('node')].find(([id]) => id === CHAT)!;
        journal.put(Table.node, IDLE, 0, chat);
      },
    ],
    [
      'a name without a connection',
      /directory 4 has no connection/,
      (journal) => journal.delete(Table.connection, IDLE, 0),
    ],
    [
      'a name that is none',
      /node record is too short/,
      (journal) => journal.put(Table.node, IDLE, 0, Buffer.from([1, 2, 3])),
    ],
    [
      'an open file of no kind',
      /handle 9 is of no file/,
      (journal) =>
        journal.put(
          Table.handle,
          9,
          0,
          encodeHandle({ kind: 200, connection: CHAT, flags: 0, content: undefined }),
        ),
    ],
    [
      'an open file of a connection that never was',
      /handle 9 is of connection 77/,
      (journal) =>
        journal.put(
          Table.handle,
          9,
          0,
          encodeHandle({ kind: CTL, connection: 77, flags: 0, content: undefined }),
        ),
    ],
    [
      'a datagram that is cut short',
      /socket 5 has a datagram that is cut short/,
      (journal) => {
        const world = makeWorld();
        const pcb = world.here.udp.pcbs.get(DNS)!;
        const stream = new Uint8Array(pcb.RECEIVE_END);
        pcb.receiveStream.copy(0, stream.length, stream);
        stream[35]! += 1;
        journal.put(Table.datagramChunk, DNS, 0, Buffer.concat([Buffer.alloc(8), stream]));
      },
    ],
    [
      'a UDP socket under the key of a connection',
      /socket 4 is there twice|record of connection 5 is another's/,
      (journal) => {
        const record = Uint8Array.from(makeWorld().here.udp.pcbs.get(DNS)!.record);
        new DataView(record.buffer).setFloat64(0, IDLE, true);
        journal.put(Table.udpSocket, DNS, 0, record);
      },
    ],
    [
      'an id that is still to come',
      /connection 4 has an id that is still to come/,
      (journal) => {
        journal.facts.nextId = IDLE;
      },
    ],
  ];
  for (const [name, problem, damage] of cases) {
    await t.test(name, async (t) => {
      const directory = join(temporaryDirectory(t), 'store');
      await storeOf(makeWorld(), directory, damage);
      const { problems } = reportOn(directory);
      t.ok(
        problems.some((line) => problem.test(line)),
        problems.join('; '),
      );
      for (const line of problems) t.notMatch(line, /\n/);
    });
  }
});

t.test('several problems are several lines', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  await storeOf(makeWorld(), directory, (journal) => {
    journal.delete(Table.receiveChunk, CHAT, 0);
    journal.put(Table.node, IDLE, 0, Buffer.from([1]));
  });
  t.equal(reportOn(directory).problems.length, 2);
});

t.test('after the host has gone down in the middle, it is told', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  await storeOf(makeWorld(), directory);
  pretendOtherBoot(directory, false);
  const { problems, connections, restores_from } = reportOn(directory);
  t.same(problems, []);
  t.equal(restores_from, 'snapshot');
  t.equal(connections.length, 4, 'those that have ended are there');
});

/** Whatever the bytes are, there is a report or one line that says why there is none. */
function isToldOf(t: Test, directory: string, whole: StoreReport): boolean {
  try {
    const report = reportOn(directory);
    if (report.problems.length > 0) return true;
    if (!isDeepStrictEqual(report, whole)) t.fail('something else, and nothing is said');
    return false;
  } catch (error) {
    if (!(error instanceof StoreError) || error.message.includes('\n')) throw error;
    return true;
  }
}

t.test('damaged bytes are told, or they are where nothing is kept', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const base = temporaryDirectory(t);
  const [whole, store] = [join(base, 'whole'), join(base, 'store')];
  await storeOf(makeWorld(), whole);
  const fresh = () => {
    rmSync(store, { recursive: true, force: true });
    cpSync(whole, store, { recursive: true });
  };
  fresh();
  const report = reportOn(store);
  const names = [DATA_FILE, TURN_FILE];
  let told = 0;
  for (let i = 0; i < 600; i++) {
    fresh();
    const path = join(store, names[i % 8 === 0 ? 1 : 0]!);
    const bytes = readFileSync(path);
    const place = i % 3 === 0 ? random.below(2 * PAGE) : random.below(bytes.length);
    for (let flips = random.below(3); flips >= 0; flips--)
      bytes[(place + flips * random.below(64)) % bytes.length]! ^= 1 + random.below(255);
    writeFileSync(path, bytes);
    if (isToldOf(t, store, report)) told += 1;
  }
  t.comment(`${told} of 600 told`);
  t.ok(told > 100);
  for (let i = 0; i < 100; i++) {
    fresh();
    const path = join(store, DATA_FILE);
    truncateSync(path, random.below(readFileSync(path).length));
    if (!isToldOf(t, store, report)) t.fail('it was cut short, and nothing is said');
  }
});

t.test('what is no store is refused', async (t) => {
  t.throws(() => reportOn(temporaryDirectory(t)), { name: 'StoreError', message: /no store/ });
});
