import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { reportOn } from '../../mount/store-report.ts';
import { CONNECTIONS, describeFields } from '../../persist/connection-fields.ts';
import { restoreConnections } from '../../persist/connections.ts';
import { FIELDS_OF_LAYOUT_3 } from '../../persist/fields-of-layout-3.ts';
import { Journal } from '../../persist/journal.ts';
import { LAYOUT_VERSION, README, README_FILE, TURN_FILE } from '../../persist/layout.ts';
import { Table } from '../../persist/table.ts';
import { type Pcb, RECORD_LAYOUT } from '../../tcp/pcb.ts';
import { carryOver, type FieldNames, namesOf } from '../../tcp/record.ts';
import { Stack } from '../../tcp/stack.ts';
import { HERE } from '../fs/world.ts';
import { makeWorld, storeOf } from '../mount/store-of-world.ts';
import { contents, digestOfData } from './contents.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** By layout version. Made by make-kept-store.ts: of 3 at 41c3eaf, its last commit; of 4 at 366bfca; of 5 at 876c015; of 6 at 47a256c. */
const KEPT = new Map([3, 4, 5, 6].map((layout) => [layout, keptStore(layout)]));
/** Where the file `turn` has its layout version. */
const VERSION = 8;

function keptStore(layout: number): string {
  return join(import.meta.dirname, `kept-stores/layout-${layout}`);
}

function copyOf(t: { teardown(end: () => void): void }, store: string): string {
  const copy = join(temporaryDirectory(t), 'store');
  cpSync(store, copy, { recursive: true });
  return copy;
}

function versionInTurn(directory: string): number {
  return readFileSync(join(directory, TURN_FILE)).readUInt32BE(VERSION);
}

function restored(journal: Journal): Map<number, Pcb> {
  const stack = new Stack({
    address: HERE,
    prefix: 24,
    mtu: 1500,
    secret: new Uint8Array(16),
    entropy: () => 0,
    now: 0,
  });
  restoreConnections(journal, stack);
  return new Map(stack.pcbs);
}

/** The fields that say the same of a connection whenever it is made. */
function fieldsOf(pcb: Pcb): Record<string, number> {
  return Object.fromEntries(RECORD_LAYOUT.map(({ name }) => [name, pcb[name as 'ID']]));
}

function bytesOf(pcb: Pcb) {
  const sent = new Uint8Array(pcb.SEND_END - pcb.SEND_START);
  const received = new Uint8Array(pcb.readable);
  if (sent.length > 0) pcb.sendStream.copy(pcb.SEND_START, sent.length, sent);
  if (received.length > 0) pcb.receiveStream.copy(pcb.RECEIVE_START, received.length, received);
  return { sent, received };
}

for (const [layout, store] of KEPT) {
  t.test(
    `a store of layout ${layout} is carried over, with the first commit and not before`,
    async (t) => {
      const directory = copyOf(t, store);
      const before = digestOfData(directory);
      t.equal(versionInTurn(directory), layout);
      t.match(reportOn(directory), {
        layout_version: layout,
        problems: [],
        states: { ESTABLISHED: 2 },
      });

      const journal = Journal.open(directory, { reserve: 0 });
      const world = makeWorld();
      const pcbs = restored(journal);
      t.same([...pcbs.keys()], [...world.here.pcbs.keys()]);
      for (const [id, pcb] of pcbs) {
        const made = world.here.pcbs.get(id)!;
        t.same(fieldsOf(pcb), fieldsOf(made));
        t.same(bytesOf(pcb), bytesOf(made));
      }
      t.equal(digestOfData(directory), before, 'whoever had the store may still have it back');
      t.equal(versionInTurn(directory), layout);

      const records = contents(journal);
      journal.facts.epoch += 1;
      journal.commit();
      t.equal(versionInTurn(directory), LAYOUT_VERSION);
      t.same(contents(journal), records, 'what was seen before the commit is what it made');
      t.equal(readFileSync(join(directory, README_FILE), 'utf8'), README);
      await journal.close();

      t.match(reportOn(directory), { layout_version: LAYOUT_VERSION, problems: [] });
      const again = Journal.open(directory, { reserve: 0 });
      t.same(contents(again), records);
      t.equal(again.facts.layoutVersion, LAYOUT_VERSION);
      await again.close();
    },
  );

  t.test(`an upgrade that was not committed leaves a store of layout ${layout}`, async (t) => {
    const directory = copyOf(t, store);
    await Journal.open(directory, { reserve: 0 }).close();
    t.equal(versionInTurn(directory), layout);
    t.match(reportOn(directory), { layout_version: layout, problems: [] });
    const journal = Journal.open(directory, { reserve: 0 });
    t.equal(restored(journal).size, makeWorld().here.pcbs.size);
    await journal.close();
  });

  t.test(`a death between the commit of an upgrade from ${layout} and the file turn`, async (t) => {
    const directory = copyOf(t, store);
    const path = join(directory, TURN_FILE);
    const journal = Journal.open(directory, { reserve: 0 });
    const turn = readFileSync(path);
    journal.commit();
    await journal.close();
    writeFileSync(path, turn);
    t.equal(versionInTurn(directory), layout);
    const again = Journal.open(directory, { reserve: 0 });
    t.equal(restored(again).size, makeWorld().here.pcbs.size);
    again.facts.epoch += 1;
    again.commit();
    t.equal(versionInTurn(directory), LAYOUT_VERSION);
    await again.close();
  });
}

const CURRENT = namesOf(RECORD_LAYOUT);

/** Makes the store one of a program whose connections had other fields. */
async function withFields(directory: string, fields: FieldNames): Promise<void> {
  await storeOf(makeWorld(), directory, (journal) => {
    describeFields(journal, CONNECTIONS, fields);
    for (const [id, pcb] of makeWorld().here.pcbs)
      journal.put(Table.connection, id, 0, carryOver(pcb.record, CURRENT, fields));
  });
}

t.test('fields that came since are zero, and the others are where they were', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  const { u8 = [], u16 = [], ...others } = CURRENT;
  const without = u8.filter((name) => name !== 'TTL').toReversed();
  await withFields(directory, { ...others, u16: [...u16.slice(1), u16[0]!], u8: without });
  const journal = Journal.open(directory, { reserve: 0 });
  for (const [id, pcb] of restored(journal))
    t.same(fieldsOf(pcb), { ...fieldsOf(makeWorld().here.pcbs.get(id)!), TTL: 0 });
  journal.commit();
  await journal.close();
  t.same(reportOn(directory).problems, []);
});

t.test('fields that are yet to come are refused, and the store stays as it is', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  await withFields(directory, { ...CURRENT, u32: [...(CURRENT.u32 ?? []), 'SND_FUTURE'] });
  const before = digestOfData(directory);
  t.throws(() => Journal.open(directory), {
    name: 'StoreError',
    message: /newer Holdfast.*SND_FUTURE/,
  });
  t.equal(digestOfData(directory), before);
  t.match(reportOn(directory).problems[0], /newer Holdfast.*SND_FUTURE/);
});

t.test('the types of a field may change, and its place', (t) => {
  const before: FieldNames = { u16: ['PORT'], u8: ['STATE', 'OLD'] };
  const after: FieldNames = { f64: ['STATE'], u32: ['NEW', 'PORT'] };
  const record = Uint8Array.from([0x34, 0x12, 7, 9, 0, 0, 0, 0]);
  const view = new DataView(carryOver(record, before, after).buffer);
  t.equal(view.byteLength, 16);
  t.equal(view.getFloat64(0, true), 7);
  t.equal(view.getUint32(8, true), 0);
  t.equal(view.getUint32(12, true), 0x1234);
  t.throws(() => carryOver(record, FIELDS_OF_LAYOUT_3, after), { name: 'RecordError' });
  t.end();
});
