import '../namespace.ts';
import t from 'tap';
import { Daemon, STACK } from './daemon.ts';

const SERVER = `
echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen && echo listening
while c=$(cat net/tcp/srv/accept); do
  { read -r _ path _; while IFS= read -r line && [ "$line" != $'\\r' ]; do :; done; } < net/tcp/$c/data
  printf 'HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s\\n' $(( \${#path} + 1 )) "$path" > net/tcp/$c/data
  echo close > net/tcp/$c/ctl
done
`;

t.test('a server in six lines of bash serves curl 200 times', async (t) => {
  const daemon = await Daemon.start(t);
  t.hasStrict(await daemon.run('mkdir net/tcp/srv'), { status: 0, stderr: '' });
  const server = daemon.shell(SERVER);
  await server.printed(/^listening$/m);
  const clients = await daemon.run(`
    for i in {1..200}; do curl -sS http://${STACK}:8080/page/$i || exit; done
  `);
  t.hasStrict(clients, { status: 0, stderr: '' });
  t.same(
    clients.stdout.trimEnd().split('\n'),
    Array.from({ length: 200 }, (_, i) => `/page/${i + 1}`),
  );
  t.equal(server.stderr, '');
  t.equal(server.process.exitCode, null, 'the server still runs');
});
