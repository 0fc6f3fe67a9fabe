import '../namespace.ts';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { accept, dial, listen } from './peer.ts';
import type { Shell } from './shell.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const tried = new Set<string>();

/** Starts an example in the directory that has `net` in it. */
function start(daemon: Daemon, name: string, words: string): Shell {
  tried.add(name);
  return daemon.shell(`exec '${join(EXAMPLES, name)}' ${words}`);
}

/** The same, and waits until `port` is listened at. */
async function serve(daemon: Daemon, name: string, port: number, words = ''): Promise<Shell> {
  const shell = start(daemon, name, `${port} ${words}`);
  await until(async () => (await daemon.read('tcp/listeners')).includes(`:${port} `));
  return shell;
}

/** An HTTP server of the host's that says the path of each request. */
async function webServer(t: { teardown(handler: () => void): unknown }, port: number) {
  const server = createServer((request, response) => response.end(request.url));
  server.listen(port, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
}

/** A line of what is said to a program. */
function said(shell: Shell, line: string): void {
  shell.process.stdin!.write(`${line}\n`);
}

t.test('chat', async (t) => {
  const daemon = await Daemon.start(t);
  const room = await serve(daemon, 'chat.sh', 8000);
  const caller = () => daemon.shell(`exec nc -N ${STACK} 8000`, 'pipe');
  const present = (count: number) =>
    until(async () => {
      const lines = (await daemon.read('tcp/connections')).split('\n');
      return lines.filter((line) => /^\d+ .* ESTABLISHED /.test(line)).length === count;
    });
  const [ann, bob, cai] = [caller(), caller(), caller()];
  await present(3);
  said(ann, 'hello, all');
  await bob.printed(/^\d+: hello, all$/m);
  await cai.printed(/^\d+: hello, all$/m);
  room.kill();
  await room.ended;
  said(bob, 'is anybody there?');
  await daemon.killEngine();
  await serve(daemon, 'chat.sh', 8000);
  await ann.printed(/^\d+: is anybody there\?$/m);
  await cai.printed(/^\d+: is anybody there\?$/m);
  bob.process.stdin!.end();
  await present(2);
  said(cai, 'bob has left');
  await ann.printed(/: bob has left$/m);
  t.notMatch(ann.stdout, /hello/, 'nobody hears what they say themselves');
});

t.test('web server', async (t) => {
  const daemon = await Daemon.start(t);
  const pages = join(daemon.directory, 'pages');
  mkdirSync(pages);
  writeFileSync(join(pages, 'small'), 'small page\n');
  const large = Buffer.alloc(3_000_000, 'a line of a page that is large\n');
  writeFileSync(join(pages, 'large'), large);
  writeFileSync(join(daemon.directory, 'secret'), 'not for everybody');
  const server = await serve(daemon, 'web-server.sh', 8000, 'pages');
  const get = (path: string) =>
    daemon.run(`curl -sS --path-as-is --write-out '%{http_code}' http://${STACK}:8000${path}`);
  t.hasStrict(await get('/small?query'), { status: 0, stdout: 'small page\n200', stderr: '' });
  t.equal((await get('/large')).stdout, `${large}200`);
  t.hasStrict(await get('/none'), { status: 0, stdout: '404' });
  t.hasStrict(await get('/../secret'), { status: 0, stdout: '404' });
  const wget = await daemon.run(`wget -q -O - http://${STACK}:8000/small`);
  t.same(wget, { status: 0, stdout: 'small page\n', stderr: '' });
  t.equal(server.stderr, '');
});

t.test('port forwarder', async (t) => {
  const daemon = await Daemon.start(t);
  await webServer(t, 9000);
  const forwarder = await serve(daemon, 'port-forwarder.sh', 8000, `${HOST}:9000`);
  const gets = await daemon.run(`
    for i in 1 2 3 4 5; do curl -sS http://${STACK}:8000/page/$i & done; wait
  `);
  t.same(gets.stdout.match(/\d/g)?.sort(), ['1', '2', '3', '4', '5']);
  t.equal(gets.stderr, '');
  t.equal(forwarder.stderr, '');
});

t.test('log shipper', async (t) => {
  const daemon = await Daemon.start(t);
  const log = join(daemon.directory, 'some.log');
  const written: string[] = [];
  const write = (line: string) => {
    written.push(`${line}\n`);
    appendFileSync(log, `${line}\n`);
  };
  write('before the shipper');
  const server = await listen(HOST, 9000);
  let shipper = start(daemon, 'log-shipper.sh', `some.log ${HOST}:9000`);
  const socket = await accept(server);
  t.teardown(() => socket.destroy());
  let got = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    got += text;
  });
  socket.resume();
  const arrived = () => until(() => got === written.join(''));
  await arrived();
  for (let round = 0; round < 3; round++) {
    for (let line = 0; line < 100; line++) write(`round ${round}, line ${line}`);
    // Killed wherever it is, with the engine.
    shipper.kill();
    await daemon.killEngine();
    await shipper.ended;
    write(`while nobody shipped, round ${round}`);
    shipper = start(daemon, 'log-shipper.sh', `some.log ${HOST}:9000`);
    await arrived();
  }
  server.close();
  t.equal(got, written.join(''), 'each line once');
});

t.test('proxy', async (t) => {
  const daemon = await Daemon.start(t);
  await webServer(t, 9000);
  const proxy = await serve(daemon, 'proxy.sh', 8000);
  const get = (words: string) =>
    daemon.run(`curl -sS --proxytunnel --proxy ${STACK}:8000 ${words}`);
  const quiet = { status: 0, stderr: '' };
  t.same(await get(`http://${HOST}:9000/through`), { ...quiet, stdout: '/through' });
  const refused = await get(`http://${HOST}:9/`);
  t.match(refused, { stdout: '', stderr: /502/ });
  const plain = await daemon.run(
    `curl -sS --proxy ${STACK}:8000 --write-out '%{http_code}' http://${HOST}:9000/`,
  );
  t.same(plain, { ...quiet, stdout: '502' }, 'it knows CONNECT alone');
  t.match(proxy.stderr, /Connection refused/);
  const caller = await dial(STACK, 8000);
  caller.destroy();
  t.same(await get(`http://${HOST}:9000/again`), { ...quiet, stdout: '/again' });
});

t.test('every example is tried', async (t) => {
  t.same([...tried].sort(), readdirSync(EXAMPLES).sort());
});
