// Programs that have never heard of Holdfast.
import '../namespace.ts';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST } from './daemon.ts';
import { echoServer } from './echo-server.ts';
import { established } from './established.ts';
import { readToEnd } from './peer.ts';
import { startSshServer } from './ssh-server.ts';

const QUIET = { status: 0, stderr: '' };

/** A megabyte that is nowhere like itself, in `directory`. */
function someBytes(daemon: Daemon, name: string): Buffer {
  const bytes = randomBytes(1 << 20);
  writeFileSync(join(daemon.directory, name), bytes);
  return bytes;
}

/** Runs a snippet with the connection `net/tcp/NAME` to a socket here. */
async function withPeer(
  t: Test,
  daemon: Daemon,
  name: string,
  act: (socket: Socket) => void | Promise<void>,
  script: string,
) {
  const socket = await established(t, daemon, name, 9000);
  const [ended] = await Promise.all([daemon.run(script), act(socket)]);
  return ended;
}

t.test('one mount', async (t) => {
  const daemon = await Daemon.start(t);

  await t.test('dash', async (t) => {
    const ended = await withPeer(
      t,
      daemon,
      'dash',
      async (socket) => {
        socket.write('one two\nthree\n');
        t.equal(`${await readToEnd(socket)}`, 'got one, two\ngot three, \n');
        socket.end('and the end');
      },
      `exec dash -c '
        exec 3<>net/tcp/dash/data
        read -r first second <&3 && echo "got $first, $second" >&3
        read -r first second <&3 && echo "got $first, $second" >&3
        echo wr > net/tcp/dash/shutdown
        cat <&3
      '`,
    );
    t.same(ended, { ...QUIET, stdout: 'and the end' });
  });

  await t.test('coreutils', async (t) => {
    const bytes = someBytes(daemon, 'bytes');
    const ended = await withPeer(
      t,
      daemon,
      'coreutils',
      async (socket) => {
        socket.write(bytes);
        const sent = await readToEnd(socket);
        // cp, dd, tee and split's filter, one after the other.
        t.equal(sent.length, 4 * bytes.length);
        for (let at = 0; at < sent.length; at += bytes.length) {
          t.ok(sent.subarray(at, at + bytes.length).equals(bytes), `copy at ${at}`);
        }
        socket.end(bytes);
      },
      `
        set -e
        data=net/tcp/coreutils/data
        head -c 1000 $data > got
        dd if=$data of=got bs=7777 count=10 iflag=fullblock oflag=append conv=notrunc status=none
        head -c $((1048576 - 78770)) $data | tee -a got > /dev/null
        cmp got bytes
        cp bytes $data
        dd if=bytes of=$data bs=64K status=none
        tee $data < bytes > /dev/null
        split --filter='cat > net/tcp/coreutils/data' -b 300K bytes
        timeout 0.1 cat $data || [ $? = 124 ]
        echo wr > net/tcp/coreutils/shutdown
        split -b 100K $data part.
        cat part.* | cmp - bytes
        cp $data nothing && wc -c < nothing
      `,
    );
    t.same(ended, { ...QUIET, stdout: '0\n' });
  });

  await t.test('cmp, sort, sha256sum, wc, od and cp read to the end', async (t) => {
    const bytes = someBytes(daemon, 'bytes');
    const hash = createHash('sha256').update(bytes).digest('hex');
    const wanted: Record<string, string> = {
      'cmp %s bytes': '',
      'cp %s copy && cmp copy bytes': '',
      'cat %s | cmp - bytes': '',
      'sha256sum < %s': `${hash}  -\n`,
      'wc -c < %s': `${bytes.length}\n`,
      'od -An -v -tx1 -w1 %s | wc -l': `${bytes.length}\n`,
      'cat %s | tail -c 1000000 | wc -c': '1000000\n',
      'sort -z %s | wc -c': `${bytes.length + (bytes.at(-1) === 0 ? 0 : 1)}\n`,
    };
    let number = 0;
    for (const [script, stdout] of Object.entries(wanted)) {
      const name = `reader${number++}`;
      const ended = await withPeer(
        t,
        daemon,
        name,
        (socket) => void socket.end(bytes),
        script.replace('%s', `net/tcp/${name}/data`),
      );
      t.same(ended, { ...QUIET, stdout }, script);
    }
  });

  await t.test('tail -f', async (t) => {
    const socket = await established(t, daemon, 'tail', 9000);
    const tail = daemon.shell('exec tail -n +1 -f net/tcp/tail/data');
    socket.write('first\n');
    // It shows what it gets when its buffer is full, or nothing more is there.
    socket.end('second\n');
    await tail.printed(/^second$/m);
    tail.process.kill('SIGTERM');
    t.match(await tail.ended, { stdout: 'first\nsecond\n', stderr: '' });
  });

  await t.test('socat', async (t) => {
    const socket = await established(t, daemon, 'socat', 9000);
    const socat = daemon.shell('exec socat - OPEN:net/tcp/socat/data,nonblock', 'pipe');
    const bytes = 'a line each way\n';
    socat.process.stdin!.write(bytes);
    socket.setEncoding('latin1').resume();
    t.equal((await once(socket, 'data'))[0], bytes);
    socket.write(bytes);
    await socat.printed(/^a line each way$/m);
    socket.end();
    socat.process.stdin!.end();
    t.match(await socat.ended, { stderr: '', status: 0 });
  });

  await t.test('busybox', async (t) => {
    const ended = await withPeer(
      t,
      daemon,
      'busybox',
      async (socket) => {
        socket.write('a line\nmore of it');
        t.equal(`${await readToEnd(socket)}`, 'hello\nsome bytes');
        socket.end();
      },
      `
        exec busybox sh -c '
          cd net/tcp/busybox
          read -r line < data; echo "$line"
          busybox dd if=data bs=4 count=1 2> /dev/null; echo
          busybox dd if=data bs=3 count=2 2> /dev/null; echo
          echo hello | busybox tee data > /dev/null
          busybox printf "some bytes" > data
          echo wr > shutdown
          busybox cat data
          busybox ls | busybox grep -c .
        '
      `,
    );
    t.match(ended, { ...QUIET, stdout: /^a line\nmore\n of it\n\d+\n$/ });
  });

  await t.test('perl', async (t) => {
    const ended = await withPeer(
      t,
      daemon,
      'perl',
      async (socket) => {
        socket.write('first\nsecond\nrest');
        t.equal(`${await readToEnd(socket)}`, 'FIRST\nSECOND\n');
        socket.end();
      },
      `exec perl -e '
        use strict; use IO::Handle;
        open(my $data, "<", "net/tcp/perl/data") or die $!;
        open(my $out, ">", "net/tcp/perl/data") or die $!;
        $out->autoflush;
        for (1 .. 2) { my $line = <$data>; print {$out} uc $line }
        my $bits = ""; vec($bits, fileno($out), 1) = 1;
        printf "writable %d\n", select(undef, my $ready = $bits, undef, 0);
        open(my $shutdown, ">", "net/tcp/perl/shutdown") or die $!;
        print {$shutdown} "wr"; close($shutdown) or die $!;
        local $/; print <$data>, "\n";
      '`,
    );
    t.same(ended, { ...QUIET, stdout: 'writable 1\nrest\n' });
  });

  await t.test("python3's open, threads and subprocesses", async (t) => {
    const ended = await withPeer(
      t,
      daemon,
      'python',
      async (socket) => {
        socket.write('text\nbytes and more\n');
        const sent = await readToEnd(socket);
        t.equal(sent.length, 11 + 4 * 500 * 100 + 6);
        socket.end();
      },
      `exec python3 -c '
import subprocess, threading
with open("net/tcp/python/data", "r", buffering=1) as text:
    print(text.readline(), end="")
    rest = text.readline()
print(rest, end="")
with open("net/tcp/python/data", "w") as text:
    print("some", "words", file=text)
def write():
    with open("net/tcp/python/data", "wb", buffering=0) as data:
        for _ in range(500):
            assert data.write(bytes(100)) == 100
threads = [threading.Thread(target=write) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with open("net/tcp/python/data", "wb") as data:
    subprocess.run(["echo", "child"], stdout=data, check=True)
with open("net/tcp/python/shutdown", "w") as shutdown:
    shutdown.write("wr")
with open("net/tcp/python/data", "rb") as data:
    print(data.read())
'`,
    );
    t.same(ended, { ...QUIET, stdout: "text\nbytes and more\nb''\n" });
  });

  await t.test('node', async (t) => {
    const bytes = someBytes(daemon, 'bytes');
    const ended = await withPeer(
      t,
      daemon,
      'node',
      async (socket) => {
        t.ok((await readToEnd(socket)).equals(bytes));
        socket.end(bytes);
      },
      `exec ${process.execPath} --input-type=module -e '
        import { createHash } from "node:crypto";
        import { createReadStream, createWriteStream, writeFileSync } from "node:fs";
        import { pipeline } from "node:stream/promises";
        await pipeline(createReadStream("bytes"), createWriteStream("net/tcp/node/data"));
        writeFileSync("net/tcp/node/shutdown", "wr");
        const hash = createHash("sha256");
        for await (const piece of createReadStream("net/tcp/node/data")) hash.update(piece);
        console.log(hash.digest("hex"));
      '`,
    );
    const hash = createHash('sha256').update(bytes).digest('hex');
    t.same(ended, { ...QUIET, stdout: `${hash}\n` });
  });

  await t.test('node waits for more than four files, if it has the threads', async (t) => {
    await echoServer(t, 9011);
    const ended = await daemon.run(`
      for i in 0 1 2 3 4; do
        mkdir net/tcp/waiting$i && echo ${HOST}:9011 > net/tcp/waiting$i/connect
      done
      UV_THREADPOOL_SIZE=6 exec ${process.execPath} --input-type=module -e '
        import { open } from "node:fs/promises";
        const paths = [0, 1, 2, 3, 4].map((i) => "net/tcp/waiting" + i + "/data");
        const files = await Promise.all(paths.map((path) => open(path, "r+")));
        const answers = files.map((file) => file.read(Buffer.alloc(16)));
        for (const [i, file] of files.entries()) await file.write("number " + i);
        for (const { bytesRead, buffer } of await Promise.all(answers)) {
          console.log(buffer.toString("latin1", 0, bytesRead));
        }
        for (const file of files) await file.close();
      '
    `);
    const stdout = [0, 1, 2, 3, 4].map((i) => `number ${i}\n`).join('');
    t.same(ended, { ...QUIET, stdout });
    await daemon.run('rmdir net/tcp/waiting*');
  });

  await t.test('jq follows a stream', async (t) => {
    const socket = await established(t, daemon, 'jq', 9000);
    const jq = daemon.shell('exec jq --unbuffered -r .name net/tcp/jq/data');
    socket.write('{"name": "one"}\n{"na');
    await jq.printed(/^one$/m);
    socket.write('me": "two"} {"name": null}\n');
    await jq.printed(/^two$/m);
    socket.end();
    t.same(await jq.ended, { ...QUIET, stdout: 'one\ntwo\nnull\n' });
  });

  await t.test('curl and wget through socat', async (t) => {
    await daemon.run(`printf 'HTTP/1.0 200 OK\\r\\n\\r\\nthe page\\n' > response`);
    for (const [client, port] of [
      ['curl -sS', 8001],
      ['wget -q -O -', 8002],
    ] as const) {
      const name = `http${port}`;
      const socket = await established(t, daemon, name, 9000);
      const socat = daemon.shell(
        `exec socat TCP-LISTEN:${port},bind=127.0.0.1 OPEN:net/tcp/${name}/data`,
      );
      await until(async () => (await daemon.run(`ss -Hltn sport = :${port}`)).stdout !== '');
      socket.once('data', (request) => {
        t.match(`${request}`, /^GET \/ HTTP/);
        socket.end(readFileSync(join(daemon.directory, 'response')));
      });
      socket.resume();
      const page = await daemon.run(`${client} http://127.0.0.1:${port}/`);
      t.same(page, { ...QUIET, stdout: 'the page\n' }, client);
      await socat.ended;
    }
  });

  await t.test(
    'an echo server loops megabytes back, written and read by separate programs',
    async (t) => {
      const server = await echoServer(t, 9010);
      const bytes = someBytes(daemon, 'bytes');
      const ended = await daemon.run(`
      mkdir net/tcp/loop && echo ${HOST}:9010 > net/tcp/loop/connect
      for i in 1 2 3 4; do cat bytes; done > net/tcp/loop/data && echo wr > net/tcp/loop/shutdown &
      sha256sum < net/tcp/loop/data; wait
    `);
      const hash = createHash('sha256');
      for (let i = 0; i < 4; i++) hash.update(bytes);
      t.same(ended, { ...QUIET, stdout: `${hash.digest('hex')}  -\n` });
      server.close();
    },
  );

  await t.test('ssh through ProxyCommand', async (t) => {
    await startSshServer(daemon, 2222);
    const bytes = someBytes(daemon, 'bytes');
    const ended = await daemon.run(`
      mkdir net/tcp/ssh && echo ${HOST}:2222 > net/tcp/ssh/connect
      ssh -F none -i client_key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \\
        -o UserKnownHostsFile=known_hosts -o ProxyCommand='socat - OPEN:net/tcp/ssh/data' \\
        root@there cat < bytes | sha256sum
      rmdir net/tcp/ssh
    `);
    const hash = createHash('sha256').update(bytes).digest('hex');
    t.same(ended, { ...QUIET, stdout: `${hash}  -\n` });
  });

  await t.test('the daemon is as it was', async (t) => {
    t.equal(await daemon.epoch(), 1, 'no engine has died of all this');
  });
});

t.test('tar from one mount to another', async (t) => {
  const from = await Daemon.start(t);
  const to = await Daemon.start(
    t,
    ...['--tun', 'holdfast1', '--address', '10.9.0.2/24', '--host-address', '10.9.0.1/24'],
  );
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  mkdirSync(join(from.directory, 'tree/inside'), { recursive: true });
  writeFileSync(join(from.directory, 'tree/inside/file'), randomBytes(300_000));
  writeFileSync(join(from.directory, 'tree/other'), 'other');
  const receiving = to.shell(`
    mkdir net/tcp/server && echo :7000 > net/tcp/server/listen && echo listening
    name=$(cat net/tcp/server/accept) && tar -x < net/tcp/$name/data
  `);
  await receiving.printed(/^listening$/m);
  t.same(
    await from.run(`
      mkdir net/tcp/client && echo 10.9.0.2:7000 > net/tcp/client/connect
      tar -c tree > net/tcp/client/data && echo close > net/tcp/client/ctl
    `),
    { ...QUIET, stdout: '' },
  );
  t.match(await receiving.ended, QUIET);
  const { stdout } = await to.run(`diff -r tree '${join(from.directory, 'tree')}' && echo same`);
  t.equal(stdout, 'same\n');
});
