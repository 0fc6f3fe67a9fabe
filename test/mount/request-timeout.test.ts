import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { demandPatience } from '../../mount/fuse/request-timeout.ts';

t.test('a limit of the kernel to how long a read may wait is refused', async (t) => {
  const directory = mkdtempSync('/tmp/holdfast-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const set = (name: string, seconds: number) =>
    writeFileSync(join(directory, name), `${seconds}\n`);

  demandPatience(directory);
  t.pass('where the kernel has no such settings');
  set('max_request_timeout', 0);
  set('default_request_timeout', 0);
  demandPatience(directory);
  t.pass('where they are off');
  set('default_request_timeout', 30);
  t.throws(() => demandPatience(directory), {
    message: /^fs.fuse.default_request_timeout is 30: /,
  });
  set('max_request_timeout', 600);
  t.throws(() => demandPatience(directory), { message: /^fs.fuse.max_request_timeout is 600: / });
});
