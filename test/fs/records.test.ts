import t from 'tap';
import { decodeHandle, encodeHandle } from '../../fs/handle-record.ts';
import { decodeNode, encodeNode } from '../../fs/node-record.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { seeded } from '../seeded.ts';

const seed = Number(process.env['SEED'] ?? 20261121);

const NODE = {
  name: 'caf\u00e9',
  uid: 4294967294,
  gid: 1000,
  mode: 0o640,
  created: 1795244000123,
  errorTold: true,
  autoclose: true,
};

t.test('a node is what it was', async (t) => {
  t.same(decodeNode(encodeNode(NODE)), NODE);
  for (const errorTold of [false, true]) {
    for (const autoclose of [false, true]) {
      const node = { ...NODE, errorTold, autoclose };
      t.same(decodeNode(encodeNode(node)), node);
    }
  }
  t.same(decodeNode(encodeNode({ ...NODE, errorTold: false, name: '\ufeffx' })).name, '\ufeffx');
});

t.test('a handle is what it was', async (t) => {
  const handle = { kind: 255, connection: 2 ** 45, flags: 0x8802, content: undefined };
  t.same(decodeHandle(encodeHandle(handle)), handle);
  for (const content of [new Uint8Array(0), new Uint8Array([0, 1, 255])]) {
    t.same(decodeHandle(encodeHandle({ ...handle, content })), { ...handle, content });
  }
});

t.test('a restored handle keeps nothing of the memory that it was read from', async (t) => {
  const bytes = encodeHandle({ kind: 1, connection: 1, flags: 0, content: new Uint8Array([7]) });
  const { content } = decodeHandle(bytes);
  bytes.fill(0);
  t.same(content, new Uint8Array([7]));
});

t.test(
  'a record cut short is refused, or has lost the end of what has no length of its own',
  async (t) => {
    const node = encodeNode(NODE);
    for (let length = 0; length < node.length; length++) {
      const decoded = attempt(() => decodeNode(node.slice(0, length)));
      if (decoded !== undefined) t.ok(NODE.name.startsWith(decoded.name) && decoded.name !== '');
    }
    const handle = encodeHandle({ kind: 1, connection: 1, flags: 0, content: undefined });
    for (let length = 0; length < handle.length; length++) {
      t.throws(() => decodeHandle(handle.slice(0, length)), RecordError);
    }
    t.throws(() => decodeHandle(new Uint8Array([...handle, 0])), RecordError);
  },
);

t.test('whatever bytes come, a record is decoded to itself or refused', async (t) => {
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  let accepted = 0;
  for (let round = 0; round < 20000; round++) {
    const bytes = new Uint8Array(random(40)).map(() => (random(3) === 0 ? random(256) : random(2)));
    const node = attempt(() => decodeNode(bytes));
    if (node !== undefined && !equal(encodeNode(node), bytes)) t.fail(`node ${bytes}`);
    const handle = attempt(() => decodeHandle(bytes));
    if (handle !== undefined && !equal(encodeHandle(handle), bytes)) t.fail(`handle ${bytes}`);
    if (node !== undefined || handle !== undefined) accepted++;
  }
  t.ok(accepted > 0, 'some were accepted');
});

/** Anything but a RecordError is a failure. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
