import t from 'tap';
import { TCP_FILES } from '../../fs/files.ts';
import { checkName } from '../../fs/name.ts';
import { ErrnoError } from '../../tcp/errno.ts';

const LONGEST = 'n'.repeat(255);

t.test('any other name will do', async (t) => {
  for (const name of ['chat', 'a b', '...', '-1', '1a', '\u00e9\u00e8', '\u{1f600}', LONGEST]) {
    t.doesNotThrow(() => checkName(name), name);
  }
});

t.test('numbers, and what cannot be a name, are invalid', async (t) => {
  for (const name of ['', '.', '..', 'a/b', 'a\0', '0', '17', '007', '\ud800', 'x\ufffd']) {
    t.throws(() => checkName(name), new ErrnoError('EINVAL'), JSON.stringify(name));
  }
});

t.test('a name has at most 255 bytes of UTF-8', async (t) => {
  t.throws(() => checkName(`${LONGEST}n`), new ErrnoError('ENAMETOOLONG'));
  t.throws(() => checkName('\u00e9'.repeat(128)), new ErrnoError('ENAMETOOLONG'));
  t.doesNotThrow(() => checkName('\u00e9'.repeat(127)));
});

t.test('the names of files are taken', async (t) => {
  const names = Array.from(TCP_FILES.values(), ({ name }) => name);
  for (const name of [...names, 'clone', 'stats']) {
    t.throws(() => checkName(name), new ErrnoError('EEXIST'), name);
  }
});
