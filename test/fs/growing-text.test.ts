import t from 'tap';
import { GrowingText } from '../../fs/growing-text.ts';

function read(text: GrowingText, offset = 0, length = 1 << 20): string {
  const target = new Uint8Array(length);
  return new TextDecoder().decode(target.subarray(0, text.readAt(offset, target)));
}

t.test('lines, at their offsets', async (t) => {
  const text = new GrowingText();
  t.equal(text.size, 0);
  t.equal(read(text), '');
  text.append(() => 'first');
  text.append(() => 'second');
  t.equal(text.size, 13);
  t.equal(read(text), 'first\nsecond\n');
  t.equal(read(text, 6, 3), 'sec');
  t.equal(read(text, 13), '');
  t.equal(read(text, 1000), '');
});

t.test('it begins anew when it is full', async (t) => {
  const text = new GrowingText();
  const line = 'x'.repeat(1023);
  for (let n = 0; n < 256; n++) text.append(() => line);
  t.equal(text.size, 256 * 1024);
  text.append(() => 'the next');
  t.equal(read(text), 'the next\n');
});

t.test('a line that is too long is cut', async (t) => {
  const text = new GrowingText();
  text.append(() => 'x'.repeat(1 << 20));
  t.equal(text.size, 256 * 1024);
});

t.test('a line is written when somebody looks, and nobody looks for many', async (t) => {
  const text = new GrowingText();
  let written = 0;
  const append = () =>
    text.append(() => {
      written++;
      return 'x'.repeat(99);
    });
  for (let n = 0; n < 10_000; n++) append();
  t.equal(written, 0);
  const { size } = text;
  t.equal(size, written * 100);
  t.ok(written > 0 && written <= 2048, `${written}`);
  t.equal(read(text).length, size);
  append();
  t.equal(text.size, size + 100, 'what was written stays');
});
