import t from 'tap';
import type { Handle } from '../../fs/handle-record.ts';
import { Handles } from '../../fs/handles.ts';
import { ErrnoError } from '../../tcp/errno.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { KeptRecords } from './kept-records.ts';

const isFile = (kind: number) => kind < 100;

function handle(kind: number): Handle {
  return { kind, connection: 5, flags: 2, content: undefined };
}

function restored(records: KeptRecords): Handles {
  const handles = new Handles(records);
  for (const [id, value] of records.of('handle')) handles.restore(id, value, isFile);
  return handles;
}

t.test('the next engine has the handles of the one before', async (t) => {
  const records = new KeptRecords();
  const before = new Handles(records);
  const serials = [1, 2, 3].map((kind) => before.add(handle(kind)));
  before.delete(serials[1]!);
  const frozen = before.get(serials[2]!);
  frozen.content = new Uint8Array([1, 2]);
  before.save(serials[2]!, frozen);

  const after = restored(records);
  t.same(after.get(serials[0]!), handle(1));
  t.throws(() => after.get(serials[1]!), new ErrnoError('EBADF'));
  t.same(after.get(serials[2]!), { ...handle(3), content: new Uint8Array([1, 2]) });
});

t.test('no number is ever used twice, however often engines die', async (t) => {
  const records = new KeptRecords();
  const given = new Set<number>();
  for (let engine = 0; engine < 5; engine++) {
    const handles = restored(records);
    for (let n = 0; n < 1500; n++) {
      const serial = handles.add(handle(n % 100));
      if (given.has(serial)) t.fail(`${serial} was used before`);
      given.add(serial);
      if (n % 3 !== 0) handles.delete(serial);
    }
    if (engine === 2) handles.clear();
  }
  t.equal(given.size, 5 * 1500);
});

t.test('records that are none of ours are refused', async (t) => {
  const handles = new Handles(new KeptRecords());
  t.throws(() => handles.restore(0, new Uint8Array(7), isFile), RecordError);
  t.throws(() => handles.restore(0, new Uint8Array(8).fill(255), isFile), RecordError);
  t.throws(() => handles.restore(1, new Uint8Array(3), isFile), RecordError);
  const unknown = new KeptRecords();
  const serial = new Handles(unknown).add(handle(200));
  const [, value] = [...unknown.of('handle')].find(([id]) => id === serial)!;
  t.throws(() => handles.restore(serial, value, isFile), RecordError);
});
