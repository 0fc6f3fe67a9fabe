import '../namespace.ts';
import t from 'tap';
import { Daemon, HOST } from './daemon.ts';
import { accept, listen, readToEnd } from './peer.ts';

t.test('when the last program is gone, so is the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const server = await listen(HOST, 9000);
  t.teardown(() => server.close());
  const program = daemon.shell(`
    exec 3<>net/tcp/clone
    read -r n <&3
    printf 'autoclose on\\nconnect ${HOST}:9000\\n' >&3
    echo hello > net/tcp/$n/data
    echo ready
    exec sleep infinity
  `);
  const socket = await accept(server);
  t.teardown(() => socket.destroy());
  await program.printed(/^ready$/m);
  await daemon.killEngine();
  t.match(await daemon.read('tcp/connections'), /ESTABLISHED/);
  program.kill();
  await program.ended;
  t.equal(String(await readToEnd(socket)), 'hello\n');
});
