import t from 'tap';
import { Outbox } from '../../mount/outbox.ts';
import type { Egress } from '../../tcp/egress.ts';
import { seeded } from '../seeded.ts';

/** An outbox over plain memory, which writes into a list. */
function make(size: number) {
  const bytes = new Uint8Array(size);
  const written: string[] = [];
  const text = (offset: number, length: number) =>
    Buffer.from(bytes.subarray(offset, offset + length)).toString();
  const outbox = new Outbox(
    { bytes, view: new DataView(bytes.buffer), address: 0 },
    (offset, length) => written.push(`reply ${text(offset, length)}`),
    (offset, length) => written.push(`packet ${text(offset, length)}`),
  );
  return { outbox, written };
}

function put(egress: Egress, content: string): boolean {
  const offset = egress.reserve(content.length);
  if (offset < 0) return false;
  egress.bytes.set(Buffer.from(content), offset);
  egress.commit(content.length);
  return true;
}

t.test(
  'nothing leaves before its turn is durable, and then in the order it was made',
  async (t) => {
    const { outbox, written } = make(1024);
    put(outbox.replies, 'a');
    put(outbox.packets, 'b');
    outbox.release(9);
    t.same(written, [], 'an unsealed output depends on a turn that is not committed');
    outbox.seal(1);
    put(outbox.packets, 'c');
    outbox.seal(2);
    outbox.release(0);
    t.same(written, []);
    outbox.release(1);
    t.same(written, ['reply a', 'packet b']);
    outbox.release(2);
    t.same(written, ['reply a', 'packet b', 'packet c']);
    t.ok(outbox.empty);
  },
);

t.test('a turn that committed nothing adds its outputs to the newest committed one', async (t) => {
  const { outbox, written } = make(1024);
  put(outbox.replies, 'a');
  outbox.seal(5);
  put(outbox.replies, 'b');
  outbox.seal(5);
  outbox.release(4);
  t.same(written, []);
  outbox.release(5);
  t.same(written, ['reply a', 'reply b']);
});

t.test('turns are sealed in order', async (t) => {
  const { outbox } = make(64);
  put(outbox.replies, 'a');
  outbox.seal(2);
  put(outbox.replies, 'b');
  t.throws(() => outbox.seal(1), { name: 'InvariantError' });
});

t.test('a reservation that is not committed leaves no trace', async (t) => {
  const { outbox, written } = make(64);
  outbox.replies.reserve(40);
  put(outbox.packets, 'x');
  outbox.seal(1);
  outbox.release(1);
  t.same(written, ['packet x']);
  t.throws(() => outbox.replies.commit(1), { name: 'InvariantError' });
});

t.test(
  'any mix of sizes, turns and releases keeps bytes and order, and says when it is full',
  async (t) => {
    const seed = Number(process.env['SEED'] ?? 20260101);
    t.comment(`SEED=${seed}`);
    const random = seeded(seed);
    const size = 512;
    const { outbox, written } = make(size);
    const expected: string[] = [];
    let turn = 0;
    let durable = 0;
    let refused = 0;
    for (let step = 0; step < 20_000; step += 1) {
      switch (random(4)) {
        case 0:
        case 1: {
          const content = String(step).padEnd(random(200) + 1, '.');
          const egress = random(2) === 0 ? outbox.replies : outbox.packets;
          if (put(egress, content)) {
            expected.push(`${egress === outbox.replies ? 'reply' : 'packet'} ${content}`);
          } else {
            refused += 1;
            t.notOk(outbox.empty, 'an empty outbox takes whatever fits it');
          }
          break;
        }
        case 2:
          turn += 1;
          outbox.seal(turn);
          break;
        default:
          durable += random(turn - durable + 1);
          outbox.release(durable);
      }
    }
    outbox.seal(turn + 1);
    outbox.release(turn + 1);
    t.same(written, expected);
    t.ok(refused > 100, 'it was full at times');
    t.equal(outbox.replies.reserve(size + 1), -1);
  },
);
