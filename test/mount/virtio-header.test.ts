import t from 'tap';
import { Outbox } from '../../mount/outbox.ts';
import { VIRTIO_HEADER_LENGTH, VirtioHeader } from '../../mount/virtio-header.ts';

/** An outbox with headers over plain memory, which writes into a list. */
function make(size: number) {
  const bytes = new Uint8Array(size).fill(0xee);
  const written: Uint8Array[] = [];
  const outbox = new Outbox(
    { bytes, view: new DataView(bytes.buffer), address: 0 },
    () => {},
    (offset, length) => written.push(bytes.slice(offset, offset + length)),
    true,
  );
  return { outbox, written };
}

/** The beginning of a packet with a TCP header of `options` bytes of options, and text behind it. */
function packet(version: 4 | 6, options: number, text: number): Uint8Array {
  const ip = version === 4 ? 20 : 40;
  const bytes = new Uint8Array(ip + 20 + options + text).fill(0x33);
  bytes[0] = version === 4 ? 0x45 : 0x60;
  bytes[ip + 12] = ((20 + options) >> 2) << 4;
  return bytes;
}

t.test('a packet that is complete has a header that says nothing', async (t) => {
  const { outbox, written } = make(1024);
  const at = outbox.packets.reserve(100);
  outbox.packets.bytes.fill(0x44, at, at + 100);
  outbox.packets.commit(100);
  outbox.seal(1);
  outbox.release(1);
  t.strictSame(written, [
    Uint8Array.of(...Array(VIRTIO_HEADER_LENGTH).fill(0), ...Array(100).fill(0x44)),
  ]);
});

for (const version of [4, 6] as const) {
  t.test(`IPv${version}: an unfinished segment, cut or not`, async (t) => {
    const { outbox, written } = make(65_536);
    const ip = version === 4 ? 20 : 40;
    for (const text of [1000, 1001]) {
      const bytes = packet(version, 12, text);
      const at = outbox.packets.reserve(bytes.length + 50);
      outbox.packets.bytes.set(bytes, at);
      outbox.packets.commitUnfinished!(bytes.length, 1000);
    }
    outbox.seal(1);
    outbox.release(1);
    const headers = written.map((bytes) => {
      const view = new DataView(bytes.buffer);
      return {
        flags: view.getUint8(0),
        gsoType: view.getUint8(1),
        headerLength: view.getUint16(2, true),
        gsoSize: view.getUint16(4, true),
        checksumStart: view.getUint16(6, true),
        checksumOffset: view.getUint16(8, true),
        packet: bytes.length - VIRTIO_HEADER_LENGTH,
      };
    });
    const common = { flags: 1, headerLength: ip + 32, checksumStart: ip, checksumOffset: 16 };
    const gsoType = version === 4 ? 1 : 4;
    t.strictSame(headers, [
      { ...common, gsoType: 0, gsoSize: 0, packet: ip + 32 + 1000 },
      { ...common, gsoType, gsoSize: 1000, packet: ip + 32 + 1001 },
    ]);
    t.strictSame(written[1]!.subarray(VIRTIO_HEADER_LENGTH), packet(version, 12, 1001));
  });
}

t.test('outputs with and without headers lie beside each other', async (t) => {
  const { outbox, written } = make(256);
  for (let i = 0; i < 20; i++) {
    const at = outbox.packets.reserve(60);
    t.ok(at >= 0);
    outbox.packets.bytes.fill(i, at, at + 60);
    outbox.packets.commit(60);
    const reply = outbox.replies.reserve(16);
    t.ok(reply >= 0);
    outbox.replies.bytes.fill(0xff, reply, reply + 16);
    outbox.replies.commit(16);
    outbox.seal(i);
    outbox.release(i);
  }
  t.strictSame(
    written.map((bytes) => bytes.subarray(VIRTIO_HEADER_LENGTH)),
    Array.from({ length: 20 }, (_, i) => new Uint8Array(60).fill(i)),
  );
});

t.test('what the kernel says of a packet', async (t) => {
  const header = new VirtioHeader();
  const said = (...bytes: number[]) => {
    header.parse(new DataView(Uint8Array.of(0, ...bytes).buffer), 1);
    return { ...header };
  };
  const plain = { isVouchedFor: false, segmentSize: 0 };
  t.strictSame(said(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), plain);
  t.strictSame(said(1, 0, 52, 0, 0, 0, 20, 0, 16, 0), { ...plain, isVouchedFor: true });
  t.strictSame(said(2, 0, 0, 0, 0, 0, 0, 0, 0, 0), { ...plain, isVouchedFor: true }, 'DATA_VALID');
  const joined = { isVouchedFor: true, segmentSize: 1448 };
  t.strictSame(said(1, 1, 52, 0, 0xa8, 5, 20, 0, 16, 0), joined);
});
