import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';

// RFC 9293, section 3.8.3: R2 for a SYN is at least 3 minutes.
t.setTimeout(600_000);
t.test('no answer at all is what connect(2) would give', async (t) => {
  t.setTimeout(600_000);
  const daemon = await Daemon.start(t);
  execFileSync('nft', ['-f', '-'], {
    input: `table ip silence {
      chain input {
        type filter hook input priority 0
        tcp dport 80 drop
      }
    }`,
  });
  const { status, stderr } = await daemon.run(`
    mkdir net/tcp/chat
    echo ${HOST}:80 > net/tcp/chat/connect
  `);
  // connect(2): ETIMEDOUT, timeout while attempting connection.
  t.match(stderr, /: Connection timed out$/m);
  t.equal(status, 1);
});
