import t from 'tap';
import { Answers } from '../../mount/fuse/answers.ts';
import { Notes } from '../../mount/fuse/notes.ts';
import { Table } from '../../persist/table.ts';
import { ToyJournal } from './toy-journal.ts';

const THIS_MOUNT = 2 ** 47;
const OTHER_MOUNT = THIS_MOUNT + 1;

/** A reply, header and body, that can be told from others. */
function reply(mark: number, length: number): Uint8Array {
  return new Uint8Array(16 + length).fill(mark);
}

function restored(journal: ToyJournal, instance = THIS_MOUNT): Answers {
  const answers = new Answers(instance);
  answers.restore(journal.scan(Table.answer));
  return answers;
}

t.test('answers come back to the next engine on the same mount only', async (t) => {
  const journal = new ToyJournal();
  const answers = new Answers(THIS_MOUNT);
  const memory = new Uint8Array(200_000);
  memory.set(reply(1, 3), 40);
  memory.set(reply(2, 100_000), 80);
  answers.record(2, memory, 40, 19);
  answers.record(2 ** 40, memory, 80, 100_016);
  answers.stage(journal);
  t.equal(restored(journal).lookup(2), undefined, 'nothing before the commit');
  journal.commit();
  const next = restored(journal);
  t.same(next.lookup(2), reply(1, 3));
  t.same(next.lookup(2 ** 40), reply(2, 100_000));
  t.equal(next.lookup(4), undefined);
  t.equal(restored(journal, OTHER_MOUNT).lookup(2), undefined);
});

t.test('of a reply whose end comes again, the rest is kept', async (t) => {
  const journal = new ToyJournal();
  const answers = new Answers(THIS_MOUNT);
  const put = (key: number, length: number, returnable: number) => {
    const bytes = reply(key, length);
    new DataView(bytes.buffer).setUint32(0, bytes.length, true);
    answers.record(key, bytes, 0, bytes.length, returnable);
    return bytes;
  };
  const whole = put(2, 40, 0);
  const half = put(4, 40, 30);
  put(6, 40, 40);
  answers.stage(journal);
  journal.commit();
  t.ok(answers.isTentative);
  answers.released(journal.turn);
  t.notOk(answers.isTentative, 'what was delivered stays');
  const next = restored(journal);
  t.ok(next.isTentative);
  t.notOk(restored(journal, OTHER_MOUNT).isTentative);
  t.equal(next.takeBack(2), 0);
  t.same(next.lookup(2), whole);
  t.equal(next.takeBack(4), 30);
  const kept = half.slice(0, 26);
  new DataView(kept.buffer).setUint32(0, 26, true);
  t.same(next.lookup(4), kept, 'a shorter reply');
  t.equal(next.takeBack(6), 40);
  t.equal(next.lookup(6), undefined, 'nothing was kept: the request is served anew');
  t.equal(next.takeBack(8), 0, 'not known');
});

t.test(
  'an answer is kept until its reply is written, and no longer than the next answer',
  async (t) => {
    const journal = new ToyJournal();
    const answers = new Answers(THIS_MOUNT);
    const turns: number[] = [];
    for (let key = 2; key <= 10; key += 2) {
      answers.record(key, reply(key, 8), 0, 24);
      answers.stage(journal);
      turns.push(journal.commit());
    }
    // Five turns are committed, the replies of the first three written.
    for (const key of [2, 4, 6, 8, 10]) t.same(restored(journal).lookup(key), reply(key, 8));
    answers.released(turns[2]!);
    answers.record(12, reply(12, 8), 0, 24);
    answers.stage(journal);
    turns.push(journal.commit());
    const next = restored(journal);
    for (const key of [2, 4, 6]) t.equal(next.lookup(key), undefined);
    for (const key of [8, 10, 12]) t.same(next.lookup(key), reply(key, 8));
    answers.released(turns.at(-1)!);
    answers.record(14, reply(14, 8), 0, 24);
    answers.stage(journal);
    journal.commit();
    t.equal(journal.scan(Table.answer).length, 1);
  },
);

t.test('what was restored goes when every request has come again', async (t) => {
  const journal = new ToyJournal();
  const first = new Answers(THIS_MOUNT);
  first.record(2, reply(1, 8), 0, 24);
  first.stage(journal);
  journal.commit();
  const second = restored(journal);
  // The request came again, and is answered again: its answer must outlive this engine as well.
  second.record(2, reply(1, 8), 0, 24);
  second.settle();
  second.stage(journal);
  journal.commit();
  t.same(restored(journal).lookup(2), reply(1, 8));
  t.equal(journal.scan(Table.answer).length, 1);
});

t.test('a record that makes no sense is no answer', async (t) => {
  const journal = new ToyJournal();
  const answers = new Answers(THIS_MOUNT);
  answers.record(2, reply(1, 8), 0, 24);
  answers.stage(journal);
  journal.commit();
  const [record] = journal.scan(Table.answer);
  for (let length = 0; length < record!.value.length; length += 1) {
    const cut = new Answers(THIS_MOUNT);
    cut.restore([{ ...record!, value: record!.value.slice(0, length) }]);
    t.equal(cut.lookup(2), undefined);
  }
});

t.test(
  'notes come back until they are deleted, or their request does not come again',
  async (t) => {
    const journal = new ToyJournal();
    const notes = new Notes(journal, THIS_MOUNT);
    notes.put(2, 7);
    notes.put(4, 2 ** 33);
    journal.commit();
    const next = new Notes(journal, THIS_MOUNT);
    next.restore(journal.scan(Table.note));
    t.equal(next.take(4), 2 ** 33);
    t.equal(next.take(6), 0);
    next.settle();
    journal.commit();
    t.same(
      journal.scan(Table.note).map(({ id }) => id),
      [4],
    );
    const other = new Notes(journal, OTHER_MOUNT);
    other.restore(journal.scan(Table.note));
    t.equal(other.take(4), 0);
    journal.commit();
    t.equal(journal.scan(Table.note).length, 0);
  },
);
