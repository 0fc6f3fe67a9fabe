import '../namespace.ts';
import t from 'tap';
import { Daemon } from './daemon.ts';

t.test('at the limit no connection can be made, and below it again one can', async (t) => {
  const daemon = await Daemon.start(t, '--memory', '1M');
  const filled = await daemon.run(`
    cd net/tcp
    made=0
    while mkdir c$made; do made=$((made + 1)); done
    echo $made
  `);
  t.match(filled.stderr, /: No buffer space available$/m);
  t.ok(Number(filled.stdout) >= 16, `${filled.stdout.trim()} were made`);
  const status = await daemon.status();
  const used = Number(status.get('memory_used_bytes'));
  t.equal(Number(status.get('memory_bytes')), 1 << 20);
  t.ok(used > 0 && used <= 1 << 20, `${used} bytes are used`);
  await daemon.killEngine();
  t.match(await daemon.run('mkdir net/tcp/more'), { status: 1 }, 'for the next engine too');
  const emptied = await daemon.run('rmdir net/tcp/c0 && mkdir net/tcp/more');
  t.same(emptied, { status: 0, stdout: '', stderr: '' });
});
