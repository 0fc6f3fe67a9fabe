import '../namespace.ts';
import t from 'tap';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { dial } from './peer.ts';

t.test('awk finds its way through the tables', async (t) => {
  const daemon = await Daemon.start(t);
  t.equal((await daemon.run('wc -l < net/tcp/connections')).stdout, '0\n');
  const peer = await established(t, daemon, 'chat', 9000);
  peer.write('twelve bytes');
  t.equal((await daemon.run('head -c 12 net/tcp/chat/peek')).stdout, 'twelve bytes');
  await daemon.run(`
    mkdir 'net/tcp/web server' && echo :80 > 'net/tcp/web server/listen'
    chown 1000:100 'net/tcp/web server'
  `);
  const caller = await dial(STACK, 80);
  t.teardown(() => caller.destroy());
  const { stdout, stderr } = await daemon.run(`
    awk '$4 == "ESTABLISHED" && $1 != "-" { print $1, $3, $5, $6, $7 }' net/tcp/connections
    awk '{ print $1, $2, $3, $5 }' net/tcp/listeners
  `);
  t.equal(stderr, '');
  t.equal(stdout, `chat ${HOST}:9000 12 0 0:0\nweb\\040server [::]:80 1 1000:100\n`);
});

t.test('connections made as Genode makes them', async (t) => {
  const daemon = await Daemon.start(t);
  const { stdout, stderr } = await daemon.run(`
    exec 3<>net/tcp/new_socket
    read -r server <&3
    echo ${STACK}:8080 > net/$server/bind
    echo 5 > net/$server/listen
    exec 4<>net/tcp/new_socket
    read -r client <&4
    echo ${STACK}:8080 > net/$client/connect
    read -r accepted < net/$server/accept_socket
    echo hello > net/$client/data
    echo wr > net/$client/shutdown
    cat net/$accepted/data
    cat net/$accepted/state
  `);
  t.equal(stderr, '');
  t.equal(stdout, 'hello\nCLOSE-WAIT\n');
});

t.test('every file that README names is there', async (t) => {
  const daemon = await Daemon.start(t);
  const { stdout, stderr } = await daemon.run(`
    mkdir net/tcp/chat net/tcp/server
    grep -o 'tcp/[a-z]*[a-z/]*' net/README | sort -u | while read -r path; do ls -d net/$path; done
  `);
  t.equal(stderr, '');
  t.match(stdout, /^net\/tcp\/chat\/data$/m);
});

t.test('counters begin at 0 with each engine', async (t) => {
  const daemon = await Daemon.start(t);
  await established(t, daemon, 'chat', 9000);
  const opens = 'awk \'$1 == "TcpActiveOpens:" { print $2 }\' net/tcp/stats';
  t.equal((await daemon.run(opens)).stdout, '1\n');
  await daemon.killEngine();
  t.equal((await daemon.run(opens)).stdout, '0\n');
});
